//! What settling needs to know: whose turn it is, when it was last done, and which dead events should have a letter.

use crate::error::{Error, count};
use crate::outbox::Queue;
use crate::standing::EventStanding;
use chrono::{DateTime, Utc};
use domain::{EventKey, EventStatus};
use sqlx::PgConnection;

/// Takes the right to settle, until the transaction ends. Returns whether nobody else has it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn try_lock_settling(tx: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, SETTLING)
        .fetch_one(tx)
        .await
        .map_err(Error::of("elect the settler"))
}

/// Waits for the right to settle, and has it until the transaction ends.
///
/// # Errors
/// When Postgres is away or refuses, or the statement timeout is over first.
pub async fn lock_settling(tx: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", SETTLING)
        .execute(tx)
        .await
        .map_err(Error::of("wait for the settler"))?;
    Ok(())
}

/// Names the settle pass among all advisory locks of the database; the number is arbitrary.
const SETTLING: i64 = 7_061_510_001;

/// Dead events that died before `before`, have no message scheduled, and come after `after` by number: each with its
/// key and standing, in the order of their numbers. Their rows are locked until the transaction ends; those that a replay
/// or a discard holds are passed over.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn dead_without_intention(
    tx: &mut PgConnection,
    before: DateTime<Utc>,
    after: i64,
    limit: i64,
) -> Result<Vec<(EventKey, EventStanding)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, endpoint, event_id, generation, tries, source FROM events
        WHERE status = 'dead' AND dead_at < $1 AND id > $2
            AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event = events.id)
        ORDER BY id LIMIT $3 FOR UPDATE OF events SKIP LOCKED
        "#,
        before,
        after,
        limit,
    )
    .fetch_all(tx)
    .await
    .map_err(Error::of("list dead events"))?;
    rows.into_iter()
        .map(|row| {
            let standing = EventStanding {
                event: row.id,
                status: EventStatus::Dead,
                generation: count("events", "generation", row.id, row.generation)?,
                tries: count("events", "tries", row.id, row.tries)?,
                queue: Queue::of_source(&row.source),
            };
            Ok((crate::events::key(row.id, row.endpoint, row.event_id)?, standing))
        })
        .collect()
}

/// When the last pass over all dead letters came to its end; `None` before the first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn last_settled(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>, Error> {
    sqlx::query_scalar!("SELECT done_at FROM duties WHERE name = 'settle'")
        .fetch_optional(connection)
        .await
        .map_err(Error::of("ask for the last settling"))
}

/// Records that a pass over all dead letters came to its end.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_settled(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO duties (name, done_at) VALUES ('settle', $1) ON CONFLICT (name) DO UPDATE SET done_at = $1",
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("record a settling"))?;
    Ok(())
}
