//! Events, for people: lists and one event's whole story.

use crate::accept::Source;
use crate::error::{Error, word};
use chrono::{DateTime, Utc};
use domain::{EndpointName, EventId, EventKey, EventStatus};
use serde::Serialize;
use sqlx::PgConnection;

/// Reads back a key that was checked when it was written.
pub(crate) fn key(row: i64, endpoint: String, event_id: String) -> Result<EventKey, Error> {
    let inconsistent =
        |column, value| Error::Inconsistent { table: "events", column, row: row.to_string(), value };
    Ok(EventKey {
        endpoint: EndpointName::new(endpoint.clone()).map_err(|_| inconsistent("endpoint", endpoint))?,
        id: EventId::new(event_id.clone()).map_err(|_| inconsistent("event_id", event_id))?,
    })
}

/// One line of a list.
#[derive(Debug, Clone, Serialize)]
pub struct EventRow {
    /// Our number of it; not printed.
    #[serde(skip)]
    pub row: i64,
    /// The sender's id.
    pub event_id: String,
    /// The endpoint that received it.
    pub endpoint: String,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// When its first delivery was read.
    pub received_at: DateTime<Utc>,
    /// Where it stands.
    pub status: String,
    /// How often it was delivered.
    pub deliveries: i32,
    /// Tries used up in this generation.
    pub tries: i32,
    /// Raised by every replay.
    pub generation: i32,
    /// What it happened to.
    pub resource_type: Option<String>,
    /// Which one.
    pub resource_id: Option<String>,
    /// Class of the last failure of this generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// The last failure of this generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it last entered the dead-letter queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_at: Option<DateTime<Utc>>,
    /// The trace that its first delivery began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// Which events to list. Members that are `None` do not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Where they stand.
    pub status: Option<EventStatus>,
    /// What happened; a trailing `*` matches any ending.
    pub event_type: Option<String>,
    /// The resource's id.
    pub resource_id: Option<String>,
    /// The endpoint.
    pub endpoint: Option<String>,
    /// How they came.
    pub source: Option<Source>,
    /// Received at or after.
    pub since: Option<DateTime<Utc>>,
    /// How many at most.
    pub limit: i64,
}

/// Turns `session.*` into the pattern that SQL's `LIKE` takes.
pub(crate) fn like(pattern: Option<&str>) -> Option<String> {
    let literal = |text: &str| text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    pattern.map(|pattern| match pattern.strip_suffix('*') {
        Some(start) => format!("{}%", literal(start)),
        None => literal(pattern),
    })
}

/// The newest events that match.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn list_events(
    connection: &mut PgConnection,
    filter: &EventFilter,
) -> Result<Vec<EventRow>, Error> {
    sqlx::query_as!(
        EventRow,
        r#"
        SELECT id AS row, event_id, endpoint, event_type, created_at, received_at, status, deliveries, tries,
            generation, resource_type, resource_id, error_class, last_error, dead_at,
            nullif(split_part(coalesce(traceparent, ''), '-', 2), '') AS trace_id
        FROM events
        WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR event_type LIKE $2)
            AND ($3::text IS NULL OR resource_id = $3) AND ($4::text IS NULL OR endpoint = $4)
            AND ($5::timestamptz IS NULL OR received_at >= $5) AND ($6::text IS NULL OR source = $6)
        ORDER BY id DESC LIMIT $7
        "#,
        filter.status.map(EventStatus::as_str),
        like(filter.event_type.as_deref()),
        filter.resource_id,
        filter.endpoint,
        filter.since,
        filter.source.map(Source::as_str),
        filter.limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list events"))
}

/// One event's whole story.
#[derive(Debug, Clone, Serialize)]
pub struct EventDetail {
    /// The list's line.
    #[serde(flatten)]
    pub row: EventRow,
    /// Shape of the envelope.
    pub dialect: String,
    /// How it came.
    pub source: String,
    /// A thread's session or a credential's vault.
    pub parent_id: Option<String>,
    /// The sender's organization.
    pub organization_id: Option<String>,
    /// The sender's workspace.
    pub workspace_id: Option<String>,
    /// The delivery's content type.
    pub content_type: Option<String>,
    /// When it left `pending`.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why a person closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discard_reason: Option<String>,
    /// The next publish, where one is scheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The body as it was signed.
    #[serde(skip)]
    pub payload: Vec<u8>,
}

/// The events of that id: one per endpoint that received it. Each was read on its own, for people.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn find_events(
    connection: &mut PgConnection,
    event_id: &str,
    endpoint: Option<&str>,
) -> Result<Vec<EventDetail>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, events.event_id, endpoint, event_type, dialect, source, resource_type, resource_id, parent_id,
            organization_id, workspace_id, created_at, received_at, payload, content_type, deliveries,
            events.generation, events.tries, status, error_class, last_error, dead_at, finished_at, discard_reason,
            nullif(split_part(coalesce(traceparent, ''), '-', 2), '') AS trace_id,
            coalesce(outbox.due_at, CASE
                WHEN status = 'pending' AND events.generation = 1 AND events.tries = 0 AND error_class IS NULL
                THEN (SELECT min(bundles.due_at) FROM bundles WHERE bundles.events @> ARRAY[events.id])
            END) AS due_at
        FROM events LEFT JOIN outbox ON outbox.event = events.id
        WHERE events.event_id = $1 AND ($2::text IS NULL OR endpoint = $2)
        ORDER BY id
        "#,
        event_id,
        endpoint,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("find an event"))?;
    rows.into_iter()
        .map(|row| {
            let _known: EventStatus = word("events", "status", row.id, &row.status)?;
            Ok(EventDetail {
                row: EventRow {
                    row: row.id,
                    event_id: row.event_id,
                    endpoint: row.endpoint,
                    event_type: row.event_type,
                    created_at: row.created_at,
                    received_at: row.received_at,
                    status: row.status,
                    deliveries: row.deliveries,
                    tries: row.tries,
                    generation: row.generation,
                    resource_type: row.resource_type,
                    resource_id: row.resource_id,
                    error_class: row.error_class,
                    last_error: row.last_error,
                    dead_at: row.dead_at,
                    trace_id: row.trace_id,
                },
                dialect: row.dialect,
                source: row.source,
                parent_id: row.parent_id,
                organization_id: row.organization_id,
                workspace_id: row.workspace_id,
                content_type: row.content_type,
                finished_at: row.finished_at,
                discard_reason: row.discard_reason,
                due_at: row.due_at,
                payload: row.payload,
            })
        })
        .collect()
}
