//! The figures that the metrics show: taken by one worker, kept in one row, read by all.

use crate::error::Error;
use crate::ledger::Ledger;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// What is unfinished, by indexes that hold nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Events that are not finished.
    pub pending: i64,
    /// When the oldest of them was received.
    pub oldest_pending_at: Option<DateTime<Utc>>,
    /// Dead events.
    pub dead: i64,
    /// Messages still to be published, retries that rest included.
    pub outbox: i64,
    /// When the most overdue of them, or the next one, is due.
    pub oldest_due_at: Option<DateTime<Utc>>,
}

/// The last figures of both kinds, each with the time at which it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// What is unfinished.
    pub unfinished: Option<(DateTime<Utc>, Unfinished)>,
    /// The last count of all events.
    pub ledger: Option<(DateTime<Utc>, Ledger)>,
}

/// Counts what is unfinished.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn unfinished(connection: &mut PgConnection) -> Result<Unfinished, Error> {
    sqlx::query_as!(
        Unfinished,
        r#"
        SELECT (SELECT count(*) FROM events WHERE status = 'pending') AS "pending!",
            (SELECT min(received_at) FROM events WHERE status = 'pending') AS oldest_pending_at,
            (SELECT count(*) FROM events WHERE status = 'dead') AS "dead!",
            (SELECT count(*) FROM outbox)
                + (SELECT coalesce(sum(cardinality(events)), 0)::bigint FROM bundles) AS "outbox!",
            least((SELECT min(due_at) FROM outbox), (SELECT min(due_at) FROM bundles)) AS oldest_due_at
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("count what is unfinished"))
}

/// Counts up to `limit` events that come after the number `after`. Returns the count and the last number; `None` when there
/// is no such event. Each chunk adds up by itself, so that the sum of all of them does too.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn ledger_chunk(
    connection: &mut PgConnection,
    after: i64,
    limit: i64,
) -> Result<Option<(Ledger, i64)>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT count(*) AS "accepted!",
            count(*) FILTER (WHERE status = 'pending') AS "pending!",
            count(*) FILTER (WHERE status = 'applied') AS "applied!",
            count(*) FILTER (WHERE status = 'superseded') AS "superseded!",
            count(*) FILTER (WHERE status = 'ignored') AS "ignored!",
            count(*) FILTER (WHERE status = 'dead') AS "dead!",
            count(*) FILTER (WHERE status = 'discarded') AS "discarded!",
            max(id) AS last
        FROM (SELECT id, status FROM events WHERE id > $1 ORDER BY id LIMIT $2) AS chunk
        "#,
        after,
        limit,
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("count events"))?;
    let ledger = Ledger {
        accepted: row.accepted,
        pending: row.pending,
        applied: row.applied,
        superseded: row.superseded,
        ignored: row.ignored,
        dead: row.dead,
        discarded: row.discarded,
    };
    Ok(row.last.map(|last| (ledger, last)))
}

/// Keeps what is unfinished for all workers.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn keep_unfinished(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
    unfinished: &Unfinished,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE ledger_figures SET looked_at = $1, pending = $2, oldest_pending_at = $3, dead = $4, outbox = $5,
            oldest_due_at = $6
        "#,
        at,
        unfinished.pending,
        unfinished.oldest_pending_at,
        unfinished.dead,
        unfinished.outbox,
        unfinished.oldest_due_at,
    )
    .execute(connection)
    .await
    .map_err(Error::of("keep what is unfinished"))?;
    Ok(())
}

/// Keeps a count of all events for all workers.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn keep_ledger(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
    ledger: &Ledger,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE ledger_figures SET counted_at = $1, accepted = $2, counted_pending = $3, applied = $4, superseded = $5,
            ignored = $6, counted_dead = $7, discarded = $8
        "#,
        at,
        ledger.accepted,
        ledger.pending,
        ledger.applied,
        ledger.superseded,
        ledger.ignored,
        ledger.dead,
        ledger.discarded,
    )
    .execute(connection)
    .await
    .map_err(Error::of("keep the ledger"))?;
    Ok(())
}

/// The figures that were kept.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn figures(connection: &mut PgConnection) -> Result<Figures, Error> {
    let row = sqlx::query!(
        r#"
        SELECT looked_at, pending, oldest_pending_at, dead, outbox, oldest_due_at, counted_at, accepted, counted_pending,
            applied, superseded, ignored, counted_dead, discarded
        FROM ledger_figures
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("read the figures"))?;
    let unfinished = Unfinished {
        pending: row.pending,
        oldest_pending_at: row.oldest_pending_at,
        dead: row.dead,
        outbox: row.outbox,
        oldest_due_at: row.oldest_due_at,
    };
    let ledger = Ledger {
        accepted: row.accepted,
        pending: row.counted_pending,
        applied: row.applied,
        superseded: row.superseded,
        ignored: row.ignored,
        dead: row.counted_dead,
        discarded: row.discarded,
    };
    Ok(Figures {
        unfinished: row.looked_at.map(|at| (at, unfinished)),
        ledger: row.counted_at.map(|at| (at, ledger)),
    })
}
