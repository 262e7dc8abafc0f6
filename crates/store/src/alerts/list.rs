//! Alerts, for people.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::Severity;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

/// One alert.
#[derive(Debug, Clone, Serialize)]
pub struct AlertRow {
    /// Its number.
    pub id: i64,
    /// What it is about.
    pub kind: String,
    /// What tells it from others of its kind.
    pub key: String,
    /// How urgent it is.
    pub severity: String,
    /// One line.
    pub title: String,
    /// What it concerns.
    pub resource_type: Option<String>,
    /// Which one.
    pub resource_id: Option<String>,
    /// The event that was the last to raise it.
    pub event_id: Option<String>,
    /// How often it was raised.
    pub times: i64,
    /// When it was raised first.
    pub raised_at: DateTime<Utc>,
    /// When it was raised last.
    pub last_raised_at: DateTime<Utc>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// What ended it.
    pub resolution: Option<String>,
    /// What was found out.
    pub details: Value,
}

/// Which alerts to list.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Resolved ones too.
    pub resolved_too: bool,
    /// What they are about.
    pub kind: Option<String>,
    /// Of this severity at least.
    pub severity: Option<Severity>,
    /// The resource they concern.
    pub resource_id: Option<String>,
    /// How many at most.
    pub limit: i64,
}

/// The alerts that match: open ones first, the most urgent and the newest before others.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn list_alerts(
    connection: &mut PgConnection,
    filter: &AlertFilter,
) -> Result<Vec<AlertRow>, Error> {
    let at_least = filter.severity.unwrap_or(Severity::Info);
    let severities: Vec<&str> =
        Severity::ALL.into_iter().filter(|severity| *severity >= at_least).map(Severity::as_str).collect();
    sqlx::query_as!(
        AlertRow,
        r#"
        SELECT alerts.id, kind, key, severity, title, alerts.resource_type, alerts.resource_id, events.event_id AS "event_id?",
            times, raised_at, last_raised_at, resolved_at, resolution, details AS "details: Value"
        FROM alerts LEFT JOIN events ON events.id = alerts.event
        WHERE ($1 OR resolved_at IS NULL) AND ($2::text IS NULL OR kind = $2) AND severity = ANY($3)
            AND ($4::text IS NULL OR alerts.resource_id = $4)
        ORDER BY resolved_at IS NOT NULL, array_position(ARRAY['critical', 'warning', 'info'], severity), last_raised_at DESC
        LIMIT $5
        "#,
        filter.resolved_too,
        filter.kind,
        &severities as _,
        filter.resource_id,
        filter.limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list alerts"))
}

/// The alert of this number.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn find_alert(connection: &mut PgConnection, id: i64) -> Result<Option<AlertRow>, Error> {
    sqlx::query_as!(
        AlertRow,
        r#"
        SELECT alerts.id, kind, key, severity, title, alerts.resource_type, alerts.resource_id, events.event_id AS "event_id?",
            times, raised_at, last_raised_at, resolved_at, resolution, details AS "details: Value"
        FROM alerts LEFT JOIN events ON events.id = alerts.event
        WHERE alerts.id = $1
        "#,
        id,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("find an alert"))
}
