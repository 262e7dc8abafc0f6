//! Where events stand.

use crate::error::{Error, count, word};
use crate::outbox::Queue;
use domain::{EventKey, EventStatus};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStanding {
    /// Our number of it.
    pub event: i64,
    /// Its status.
    pub status: EventStatus,
    /// Its generation.
    pub generation: u32,
    /// Tries used up in this generation.
    pub tries: u32,
    /// Where its messages go while it is pending.
    pub queue: Queue,
}

struct Row {
    id: i64,
    endpoint: String,
    event_id: String,
    status: String,
    generation: i32,
    tries: i32,
    source: String,
}

/// Where events stand right now. Those that are not stored are not in the answer.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn standing_of(
    connection: &mut PgConnection,
    keys: &[EventKey],
) -> Result<HashMap<EventKey, EventStanding>, Error> {
    let (endpoints, ids) = names(keys);
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, endpoint, event_id, status, generation, tries, source FROM events
        WHERE (endpoint, event_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        "#,
        &endpoints as _,
        &ids as _,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("look up events"))?;
    rows.into_iter().map(standing).collect()
}

/// Where events stand, with their rows locked until the transaction ends. Those that are not stored are not in the
/// answer.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn lock_events(
    tx: &mut PgConnection,
    keys: &[EventKey],
) -> Result<HashMap<EventKey, EventStanding>, Error> {
    let (endpoints, ids) = names(keys);
    // ORDER BY id: everybody locks in the same order.
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, endpoint, event_id, status, generation, tries, source FROM events
        WHERE (endpoint, event_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        ORDER BY id FOR UPDATE
        "#,
        &endpoints as _,
        &ids as _,
    )
    .fetch_all(tx)
    .await
    .map_err(Error::of("lock events"))?;
    rows.into_iter().map(standing).collect()
}

fn names(keys: &[EventKey]) -> (Vec<&str>, Vec<&str>) {
    keys.iter().map(|key| (key.endpoint.as_str(), key.id.as_str())).unzip()
}

fn standing(row: Row) -> Result<(EventKey, EventStanding), Error> {
    let standing = EventStanding {
        event: row.id,
        status: word("events", "status", row.id, &row.status)?,
        generation: count("events", "generation", row.id, row.generation)?,
        tries: count("events", "tries", row.id, row.tries)?,
        queue: Queue::of_source(&row.source),
    };
    Ok((crate::events::key(row.id, row.endpoint, row.event_id)?, standing))
}
