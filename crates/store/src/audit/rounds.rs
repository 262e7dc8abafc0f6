//! The rounds of the audit, from their marker's departure to their end.

use crate::error::Error;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::PgConnection;

/// Names the audit among all advisory locks of the database; the number is arbitrary.
const AUDITING: i64 = 7_061_510_003;

/// How long ended rounds and silent workers are remembered.
const KEPT: TimeDelta = TimeDelta::days(7);

/// A round that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRound {
    /// Its number.
    pub number: i64,
    /// Whether the outbox was short enough to be remembered. If not, the round has ended already.
    pub begun: bool,
}

/// A round of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Round {
    /// Its number.
    pub number: i64,
    /// When it was begun.
    pub placed_at: DateTime<Utc>,
    /// Whether it only counts.
    pub dry_run: bool,
    /// When a worker was handed its marker.
    pub returned_at: Option<DateTime<Utc>>,
    /// Whether it has begun to re-queue, and is to be taken up by whoever finds it so.
    pub requeueing: bool,
    /// Events that were in no queue.
    pub requeued: i64,
    /// The sender's ids of some of them.
    pub examples: Vec<String>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// `clean`, `requeued`, `overtaken` or `skipped`.
    pub outcome: Option<String>,
}

/// Takes the right to audit, until the transaction ends. Returns whether nobody else has it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn try_lock_auditing(tx: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, AUDITING)
        .fetch_one(tx)
        .await
        .map_err(Error::of("elect the auditor"))
}

/// Waits for the right to audit, and has it until the transaction ends.
///
/// # Errors
/// When Postgres is away or refuses, or the statement timeout is over first.
pub async fn lock_auditing(tx: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", AUDITING)
        .execute(tx)
        .await
        .map_err(Error::of("wait for the auditor"))?;
    Ok(())
}

/// Begins a round: remembers what is visible now and what is still to be published. With more than `most` rows to be
/// published the round ends at once, skipped. To be committed before its marker is published.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn place_round(
    tx: &mut PgConnection,
    placed_at: DateTime<Utc>,
    most: i64,
    dry_run: bool,
) -> Result<NewRound, Error> {
    let failed = Error::of("begin an audit");
    let row = sqlx::query!(
        r#"
        WITH waiting AS (
            SELECT event FROM (
                SELECT event FROM outbox WHERE queue = 'work'
                UNION ALL
                SELECT unnest(events) FROM bundles
            ) AS unpublished LIMIT $2::bigint + 1
        ), listed AS (
            SELECT coalesce(array_agg(event), '{}') AS events, count(*) > $2 AS too_many FROM waiting
        )
        -- One statement, so that the snapshot is the one in which the outbox was read.
        INSERT INTO audit_rounds (placed_at, snapshot, unpublished, dry_run, ended_at, outcome)
        SELECT $1::timestamptz, pg_current_snapshot(), CASE WHEN too_many THEN '{}' ELSE events END, $3,
            CASE WHEN too_many THEN $1::timestamptz END, CASE WHEN too_many THEN 'skipped' END
        FROM listed
        RETURNING id, outcome IS NULL AS "begun!"
        "#,
        placed_at,
        most,
        dry_run,
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(&failed)?;
    sqlx::query!(
        r#"
        WITH silent AS (DELETE FROM worker_reports WHERE reported_at < $1)
        DELETE FROM audit_rounds WHERE placed_at < $1 AND ended_at IS NOT NULL
        "#,
        placed_at - KEPT,
    )
    .execute(tx)
    .await
    .map_err(&failed)?;
    Ok(NewRound { number: row.id, begun: row.begun })
}

/// A worker was handed the marker of the round that was placed then. Only the first time counts. Returns whether there
/// is such an open round.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn mark_returned(
    connection: &mut PgConnection,
    number: i64,
    placed_at: DateTime<Utc>,
    returned_at: DateTime<Utc>,
) -> Result<bool, Error> {
    let marked = sqlx::query!(
        r#"
        UPDATE audit_rounds SET returned_at = coalesce(returned_at, $3)
        WHERE id = $1 AND placed_at = $2 AND ended_at IS NULL
        "#,
        number,
        placed_at,
        returned_at,
    )
    .execute(connection)
    .await
    .map_err(Error::of("note a marker"))?;
    Ok(marked.rows_affected() > 0)
}

/// The open rounds, oldest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn open_rounds(connection: &mut PgConnection) -> Result<Vec<Round>, Error> {
    sqlx::query_as!(
        Round,
        r#"
        SELECT id AS number, placed_at, dry_run, returned_at, after_event IS NOT NULL AS "requeueing!", requeued, examples,
            ended_at, outcome
        FROM audit_rounds WHERE ended_at IS NULL ORDER BY id
        "#
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list open audits"))
}

/// One round.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn find_round(connection: &mut PgConnection, number: i64) -> Result<Option<Round>, Error> {
    sqlx::query_as!(
        Round,
        r#"
        SELECT id AS number, placed_at, dry_run, returned_at, after_event IS NOT NULL AS "requeueing!", requeued, examples,
            ended_at, outcome
        FROM audit_rounds WHERE id = $1
        "#,
        number,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("find an audit"))
}

/// The youngest rounds, the youngest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn last_rounds(connection: &mut PgConnection, limit: i64) -> Result<Vec<Round>, Error> {
    sqlx::query_as!(
        Round,
        r#"
        SELECT id AS number, placed_at, dry_run, returned_at, after_event IS NOT NULL AS "requeueing!", requeued, examples,
            ended_at, outcome
        FROM audit_rounds ORDER BY id DESC LIMIT $1
        "#,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list audits"))
}

/// Ends a round by what it has found.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn end_round(
    connection: &mut PgConnection,
    number: i64,
    ended_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE audit_rounds SET ended_at = $2, unpublished = '{}',
            outcome = CASE WHEN requeued > 0 THEN 'requeued' ELSE 'clean' END
        WHERE id = $1 AND ended_at IS NULL
        "#,
        number,
        ended_at,
    )
    .execute(connection)
    .await
    .map_err(Error::of("end an audit"))?;
    Ok(())
}

/// Ends other open rounds: the older ones, whose question the round `number` has answered, and, when it re-queues, the
/// younger ones too. To a round that was begun before, what is re-queued now would look as if it had been published before
/// its marker, while it comes after it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn overtake(
    connection: &mut PgConnection,
    number: i64,
    younger_too: bool,
    ended_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE audit_rounds SET ended_at = $2, outcome = 'overtaken', unpublished = '{}'
        WHERE ended_at IS NULL AND (id < $1 OR ($3 AND id > $1))
        "#,
        number,
        ended_at,
        younger_too,
    )
    .execute(connection)
    .await
    .map_err(Error::of("end other audits"))?;
    Ok(())
}
