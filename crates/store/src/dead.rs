//! Dead letters as Postgres knows them: searchable, counted, closed.

use crate::error::Error;
use crate::events::{EventRow, like};
use crate::outbox::{Queue, drop_intentions};
use chrono::{DateTime, Utc};
use domain::FailureClass;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// Which dead letters. Members that are `None` do not narrow the selection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DeadFilter {
    /// These events only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// What happened; a trailing `*` matches any ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The resource's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Class of the last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_class: Option<FailureClass>,
    /// A part of the last failure's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Died before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died_before: Option<DateTime<Utc>>,
    /// Died at or after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died_after: Option<DateTime<Utc>>,
}

impl DeadFilter {
    fn class(&self) -> Option<&'static str> {
        self.error_class.map(FailureClass::as_str)
    }

    fn text_pattern(&self) -> Option<String> {
        like(self.text.as_deref()).map(|text| format!("%{text}%"))
    }
}

/// The newest dead letters that match.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn list_dead(
    connection: &mut PgConnection,
    filter: &DeadFilter,
    limit: i64,
) -> Result<Vec<EventRow>, Error> {
    sqlx::query_as!(
        EventRow,
        r#"
        SELECT id AS row, event_id, endpoint, event_type, created_at, received_at, status, deliveries, tries,
            generation, resource_type, resource_id, error_class, last_error, dead_at,
            nullif(split_part(coalesce(traceparent, ''), '-', 2), '') AS trace_id
        FROM events
        WHERE status = 'dead' AND ($1::text[] IS NULL OR event_id = ANY($1)) AND ($2::text IS NULL OR event_type LIKE $2)
            AND ($3::text IS NULL OR resource_id = $3) AND ($4::text IS NULL OR error_class = $4)
            AND ($5::text IS NULL OR last_error ILIKE $5) AND ($6::text IS NULL OR endpoint = $6)
            AND ($7::timestamptz IS NULL OR dead_at < $7) AND ($8::timestamptz IS NULL OR dead_at >= $8)
        ORDER BY dead_at DESC, id DESC LIMIT $9
        "#,
        filter.event_ids.as_deref() as _,
        like(filter.event_type.as_deref()),
        filter.resource_id,
        filter.class(),
        filter.text_pattern(),
        filter.endpoint,
        filter.died_before,
        filter.died_after,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list dead letters"))
}

/// How many dead letters match.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn count_dead(connection: &mut PgConnection, filter: &DeadFilter) -> Result<i64, Error> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM events
        WHERE status = 'dead' AND ($1::text[] IS NULL OR event_id = ANY($1)) AND ($2::text IS NULL OR event_type LIKE $2)
            AND ($3::text IS NULL OR resource_id = $3) AND ($4::text IS NULL OR error_class = $4)
            AND ($5::text IS NULL OR last_error ILIKE $5) AND ($6::text IS NULL OR endpoint = $6)
            AND ($7::timestamptz IS NULL OR dead_at < $7) AND ($8::timestamptz IS NULL OR dead_at >= $8)
        "#,
        filter.event_ids.as_deref() as _,
        like(filter.event_type.as_deref()),
        filter.resource_id,
        filter.class(),
        filter.text_pattern(),
        filter.endpoint,
        filter.died_before,
        filter.died_after,
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("count dead letters"))
}

/// Locks up to `limit` matching dead letters, oldest first, and gives their numbers. Rows that another command
/// holds are passed over.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn select_dead(tx: &mut PgConnection, filter: &DeadFilter, limit: i64) -> Result<Vec<i64>, Error> {
    sqlx::query_scalar!(
        r#"
        SELECT id FROM events
        WHERE status = 'dead' AND ($1::text[] IS NULL OR event_id = ANY($1)) AND ($2::text IS NULL OR event_type LIKE $2)
            AND ($3::text IS NULL OR resource_id = $3) AND ($4::text IS NULL OR error_class = $4)
            AND ($5::text IS NULL OR last_error ILIKE $5) AND ($6::text IS NULL OR endpoint = $6)
            AND ($7::timestamptz IS NULL OR dead_at < $7) AND ($8::timestamptz IS NULL OR dead_at >= $8)
        ORDER BY dead_at, id LIMIT $9 FOR UPDATE SKIP LOCKED
        "#,
        filter.event_ids.as_deref() as _,
        like(filter.event_type.as_deref()),
        filter.resource_id,
        filter.class(),
        filter.text_pattern(),
        filter.endpoint,
        filter.died_before,
        filter.died_after,
        limit,
    )
    .fetch_all(tx)
    .await
    .map_err(Error::of("select dead letters"))
}

/// How many events are dead, and how many of these are still to be published to the broker's queue.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn dead_figures(connection: &mut PgConnection) -> Result<(i64, i64), Error> {
    let row = sqlx::query!(
        r#"
        SELECT (SELECT count(*) FROM events WHERE status = 'dead') AS "dead!",
            (SELECT count(*) FROM outbox WHERE queue = 'dead') AS "unpublished!"
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("count dead letters"))?;
    Ok((row.dead, row.unpublished))
}

/// Dead letters of one kind and cause.
#[derive(Debug, Clone, Serialize)]
pub struct DeadGroup {
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Class of the last failure.
    pub error_class: String,
    /// How many.
    pub count: i64,
    /// When the first of them died.
    pub oldest: DateTime<Utc>,
    /// When the last of them died.
    pub newest: DateTime<Utc>,
}

/// Dead letters by type and class, the largest group first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn dead_stats(connection: &mut PgConnection) -> Result<Vec<DeadGroup>, Error> {
    sqlx::query_as!(
        DeadGroup,
        r#"
        SELECT event_type, error_class AS "error_class!", count(*) AS "count!", min(dead_at) AS "oldest!",
            max(dead_at) AS "newest!"
        FROM events WHERE status = 'dead'
        GROUP BY event_type, error_class ORDER BY count(*) DESC, event_type, error_class
        "#
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("count dead letters by kind"))
}

/// Closes dead letters. Their outbox rows go with them. Returns how many were closed.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn discard(
    tx: &mut PgConnection,
    events: &[i64],
    reason: &str,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let failed = Error::of("discard dead letters");
    let discarded = sqlx::query!(
        r#"
        UPDATE events SET status = 'discarded', discard_reason = $2, finished_at = $3
        WHERE id = ANY($1) AND status = 'dead'
        "#,
        events,
        reason,
        now,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    drop_intentions(tx, events, &[Queue::Dead]).await.map_err(&failed)?;
    Ok(discarded.rows_affected())
}
