//! Events that must be in the queue `work` or in a worker's hands, because they are pending and nothing of them is left
//! to publish.
//!
//! A suspect of a round is pending, had no outbox row as the round was begun and has none now, and its row has not been
//! written since: its message came before the round's marker, and nothing has happened to it. Replies have a queue of their
//! own and are looked after there.

use crate::error::Error;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

/// How far the clock that stamped an event may be ahead of the auditor's. Only bounds what is looked at: whether an event
/// was there in time is told by its row's version.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// Ids of lost events that a round remembers.
const EXAMPLES: i64 = 10;

/// What one chunk of a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requeued {
    /// Suspects that were looked at. None: the round is done.
    pub looked_at: i64,
    /// Of these, how many got an outbox row. A suspect whose row somebody has locked is in somebody's hands.
    pub requeued: i64,
}

/// Gives the next suspects of a round an outbox row that is due now, at most `limit`. An existing row stays as it is.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn requeue_chunk(
    tx: &mut PgConnection,
    round: i64,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Requeued, Error> {
    let failed = Error::of("queue lost events again");
    let Some(asked) = Asked::read(tx, round).await? else {
        return Ok(Requeued { looked_at: 0, requeued: 0 });
    };
    let done = sqlx::query!(
        r#"
        WITH suspects AS (
            SELECT id, received_at FROM events
            WHERE status = 'pending' AND source <> 'reply' AND received_at <= $2 AND (received_at, id) > ($3, $4)
                AND written_before(xmin, $5::text::pg_snapshot)
                AND NOT EXISTS (SELECT FROM unnest($6::bigint[]) AS unpublished (event) WHERE unpublished.event = events.id)
                AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event = events.id)
            ORDER BY received_at, id LIMIT $7
        ), locked AS (
            -- Who is locked is with a worker. ORDER BY: everybody locks in the same order.
            SELECT events.id, events.event_id, events.generation, events.tries
            FROM events JOIN suspects ON suspects.id = events.id
            WHERE events.status = 'pending' AND written_before(events.xmin, $5::text::pg_snapshot)
            ORDER BY events.id FOR UPDATE OF events SKIP LOCKED
        ), requeued AS (
            INSERT INTO outbox (event, queue, generation, tries, due_at)
            SELECT id, 'work', generation, tries, $8 FROM locked ORDER BY id
            ON CONFLICT (event) DO NOTHING
            RETURNING event
        ), last AS (
            SELECT received_at, id FROM suspects ORDER BY received_at DESC, id DESC LIMIT 1
        ), noted AS (
            UPDATE audit_rounds SET after_received_at = last.received_at, after_event = last.id,
                requeued = audit_rounds.requeued + (SELECT count(*) FROM requeued),
                examples = (examples || ARRAY(
                    SELECT event_id FROM locked JOIN requeued ON event = id ORDER BY id LIMIT $9
                ))[1:$9]
            FROM last WHERE audit_rounds.id = $1
        )
        SELECT (SELECT count(*) FROM suspects) AS "looked_at!", (SELECT count(*) FROM requeued) AS "requeued!"
        "#,
        round,
        asked.placed_at + CLOCKS_DIFFER,
        asked.after_received_at,
        asked.after_event,
        asked.snapshot,
        &asked.unpublished,
        limit,
        now,
        EXAMPLES,
    )
    .fetch_one(tx)
    .await
    .map_err(failed)?;
    Ok(Requeued { looked_at: done.looked_at, requeued: done.requeued })
}

/// Whether a round still has a suspect.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn any_suspect(connection: &mut PgConnection, round: i64) -> Result<bool, Error> {
    let Some(asked) = Asked::read(connection, round).await? else { return Ok(false) };
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM events
            WHERE status = 'pending' AND source <> 'reply' AND received_at <= $1 AND written_before(xmin, $2::text::pg_snapshot)
                AND NOT EXISTS (SELECT FROM unnest($3::bigint[]) AS unpublished (event) WHERE unpublished.event = events.id)
                AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event = events.id)
        ) AS "any!"
        "#,
        asked.placed_at + CLOCKS_DIFFER,
        asked.snapshot,
        &asked.unpublished,
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("look for lost events"))
}

/// Notes how many suspects a round that only counts has, and the first of them.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn note_suspects(connection: &mut PgConnection, round: i64) -> Result<(), Error> {
    let Some(asked) = Asked::read(connection, round).await? else { return Ok(()) };
    sqlx::query!(
        r#"
        WITH suspects AS (
            SELECT id, event_id FROM events
            WHERE status = 'pending' AND source <> 'reply' AND received_at <= $2 AND written_before(xmin, $3::text::pg_snapshot)
                AND NOT EXISTS (SELECT FROM unnest($4::bigint[]) AS unpublished (event) WHERE unpublished.event = events.id)
                AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event = events.id)
        )
        UPDATE audit_rounds SET requeued = (SELECT count(*) FROM suspects),
            examples = ARRAY(SELECT event_id FROM suspects ORDER BY id LIMIT $5)
        WHERE id = $1
        "#,
        round,
        asked.placed_at + CLOCKS_DIFFER,
        asked.snapshot,
        &asked.unpublished,
        EXAMPLES,
    )
    .execute(connection)
    .await
    .map_err(Error::of("count lost events"))?;
    Ok(())
}

/// Whether anything for the queue `work` is pending with nothing left to publish. Without such an event there is nothing
/// to audit.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn any_unpublished_pending(connection: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM events
            WHERE status = 'pending' AND source <> 'reply'
                AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event = events.id)
                AND NOT EXISTS (
                    SELECT FROM (SELECT unnest(events) AS event FROM bundles) AS bundled WHERE bundled.event = events.id
                )
        ) AS "any!"
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("look for events in the queue"))
}

/// What a round remembers of its beginning, and how far it is.
struct Asked {
    placed_at: DateTime<Utc>,
    snapshot: String,
    unpublished: Vec<i64>,
    after_received_at: DateTime<Utc>,
    after_event: i64,
}

impl Asked {
    /// Reads an open round.
    async fn read(connection: &mut PgConnection, round: i64) -> Result<Option<Self>, Error> {
        // Handed back as values and not joined: Postgres then knows the array's length and hashes it.
        let row = sqlx::query!(
            r#"
            SELECT placed_at, snapshot::text AS "snapshot!", unpublished, after_received_at, after_event
            FROM audit_rounds WHERE id = $1 AND ended_at IS NULL
            "#,
            round,
        )
        .fetch_optional(connection)
        .await
        .map_err(Error::of("read an audit"))?;
        Ok(row.map(|row| Self {
            placed_at: row.placed_at,
            snapshot: row.snapshot,
            unpublished: row.unpublished,
            after_received_at: row.after_received_at.unwrap_or(DateTime::UNIX_EPOCH),
            after_event: row.after_event.unwrap_or_default(),
        }))
    }
}
