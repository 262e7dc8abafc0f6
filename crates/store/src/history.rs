//! The events of a resource, in the order in which they happened.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::{Order, ResourceRef};
use serde::Serialize;
use sqlx::PgConnection;

/// An event's place in a resource's history, to be recorded.
#[derive(Debug, Clone)]
pub struct HistoryEntry<'a> {
    /// The resource.
    pub resource: &'a ResourceRef,
    /// The place.
    pub order: Order,
    /// What happened.
    pub event_type: &'a str,
    /// Our number of the event.
    pub event: i64,
}

/// Records places. One that is known stays as it is.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_history(tx: &mut PgConnection, entries: &[HistoryEntry<'_>]) -> Result<(), Error> {
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.resource.kind.as_str()).collect();
    let ids: Vec<&str> = entries.iter().map(|entry| entry.resource.id.as_str()).collect();
    let times: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.order.created_at).collect();
    let ranks: Vec<i16> = entries.iter().map(|entry| i16::from(entry.order.rank)).collect();
    let event_ids: Vec<&str> = entries.iter().map(|entry| entry.order.event_id.as_str()).collect();
    let types: Vec<&str> = entries.iter().map(|entry| entry.event_type).collect();
    let events: Vec<i64> = entries.iter().map(|entry| entry.event).collect();
    sqlx::query!(
        r#"
        INSERT INTO resource_history (resource_type, resource_id, created_at, rank, event_id, event_type, event)
        SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::text[], $6::text[], $7::bigint[])
        ON CONFLICT DO NOTHING
        "#,
        &kinds as _,
        &ids as _,
        &times,
        &ranks,
        &event_ids as _,
        &types as _,
        &events,
    )
    .execute(tx)
    .await
    .map_err(Error::of("record history"))?;
    Ok(())
}

/// One event of a resource's history, for people.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryRow {
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// The sender's id.
    pub event_id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The endpoint that received it.
    pub endpoint: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// What became of it.
    pub status: String,
}

/// The history of a resource, oldest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn history_of(
    connection: &mut PgConnection,
    kind: &str,
    id: &str,
) -> Result<Vec<HistoryRow>, Error> {
    // COLLATE "C": ids by their bytes, as `domain::Order` has them, and not by the rules of a language.
    sqlx::query_as!(
        HistoryRow,
        r#"
        SELECT history.created_at, history.event_id, history.event_type, events.endpoint, events.received_at, events.status
        FROM resource_history AS history JOIN events ON events.id = history.event
        WHERE history.resource_type = $1 AND history.resource_id = $2
        ORDER BY history.created_at, history.rank, history.event_id COLLATE "C"
        "#,
        kind,
        id,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read a history"))
}
