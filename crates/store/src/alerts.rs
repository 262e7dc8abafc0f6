//! What a person should know: raising and resolving alerts.

mod deliveries;
mod health;
mod list;
mod open;

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::alert::Cause;
use domain::{ResourceRef, Severity};
use sqlx::PgConnection;

pub use deliveries::{
    AlertDelivery, AlertPhase, DueDelivery, alert_deliveries_of, claim_alert_deliveries, fail_alert_delivery,
    finish_alert_delivery, record_alert_deliveries,
};
pub use health::{
    EndpointHealth, endpoint_health, forget_endpoint_health, try_lock_watching, write_endpoint_health,
};
pub use list::{AlertFilter, AlertRow, find_alert, list_alerts};
pub use open::{
    EventFacts, OpenAlert, OpenFacts, event_facts, history_since, open_alert, open_alert_figures,
    open_alerts_of_resources,
};

/// An alert to be raised.
#[derive(Debug)]
pub struct NewAlert<'a> {
    /// What it is about: the name of a [`domain::AlertKind`].
    pub kind: &'a str,
    /// What tells alerts of this kind apart.
    pub key: &'a str,
    /// How urgent it is. Raised again, an open alert keeps the greater one.
    pub severity: Severity,
    /// The resource it concerns.
    pub resource: Option<&'a ResourceRef>,
    /// For people: one line.
    pub title: &'a str,
    /// What was found out.
    pub details: serde_json::Value,
    /// The event that caused it.
    pub event: Option<i64>,
}

/// Raises an alert, or counts up the one of the same kind and key that is open and gives it the newer details. Returns its
/// number.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn raise_alert(
    connection: &mut PgConnection,
    alert: &NewAlert<'_>,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    raise_caused_alert(connection, alert, None, now).await
}

/// Raises an alert whose cause is known, so that what happened later can resolve it. Of several causes the newest counts.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn raise_caused_alert(
    connection: &mut PgConnection,
    alert: &NewAlert<'_>,
    cause: Option<&Cause>,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let (title, details) = storable(alert);
    sqlx::query_scalar!(
        r#"
        INSERT INTO alerts (kind, key, severity, resource_type, resource_id, title, details, event, idle_event, caused_at,
            raised_at, last_raised_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, $8, $9, $10, $11, $11)
        ON CONFLICT (kind, key) WHERE resolved_at IS NULL DO UPDATE SET
            times = alerts.times + 1, last_raised_at = excluded.last_raised_at, title = excluded.title,
            details = excluded.details, event = coalesce(excluded.event, alerts.event),
            idle_event = CASE WHEN alerts.caused_at >= excluded.caused_at THEN alerts.idle_event ELSE excluded.idle_event END,
            caused_at = greatest(alerts.caused_at, excluded.caused_at),
            severity = CASE WHEN alerts.severity = 'critical' OR excluded.severity = 'info'
                THEN alerts.severity ELSE excluded.severity END,
            escalated_at = CASE WHEN alerts.severity <> excluded.severity AND alerts.severity <> 'critical' AND excluded.severity <> 'info'
                THEN excluded.last_raised_at ELSE alerts.escalated_at END
        RETURNING id
        "#,
        alert.kind,
        alert.key,
        alert.severity.as_str(),
        alert.resource.map(|resource| resource.kind.as_str()),
        alert.resource.map(|resource| resource.id.as_str()),
        title,
        details,
        alert.event,
        cause.and_then(|cause| cause.idle_event.as_deref()),
        cause.map(|cause| cause.at),
        now,
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("raise an alert"))
}

/// Puts an alert on record that was over before it was raised. Nobody is told, and one that is open stays open.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_past_alert(
    connection: &mut PgConnection,
    alert: &NewAlert<'_>,
    cause: &Cause,
    resolution: &str,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let (title, details) = storable(alert);
    sqlx::query_scalar!(
        r#"
        INSERT INTO alerts (kind, key, severity, resource_type, resource_id, title, details, event, idle_event, caused_at,
            raised_at, last_raised_at, resolved_at, resolution)
        VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, $8, $9, $10, $11, $11, $11, $12)
        RETURNING id
        "#,
        alert.kind,
        alert.key,
        alert.severity.as_str(),
        alert.resource.map(|resource| resource.kind.as_str()),
        alert.resource.map(|resource| resource.id.as_str()),
        title,
        details,
        alert.event,
        cause.idle_event.as_deref(),
        cause.at,
        now,
        resolution,
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("record a past alert"))
}

/// Resolves the open alert of a kind and key, if there is one. Returns whether there was.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn resolve_alert(
    connection: &mut PgConnection,
    kind: &str,
    key: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let resolved = sqlx::query!(
        "UPDATE alerts SET resolved_at = $3, resolution = 'recovered' WHERE kind = $1 AND key = $2 AND resolved_at IS NULL",
        kind,
        key,
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("resolve an alert"))?;
    Ok(resolved.rows_affected() > 0)
}

/// Resolves one alert, if it is open still and was not raised again since `as_of`. Returns whether it was.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn resolve_alert_by_number(
    connection: &mut PgConnection,
    id: i64,
    resolution: &str,
    as_of: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let resolved = sqlx::query!(
        r#"
        UPDATE alerts SET resolved_at = $3, resolution = $2
        WHERE id = $1 AND resolved_at IS NULL AND ($4::timestamptz IS NULL OR last_raised_at <= $4)
        "#,
        id,
        text(resolution),
        now,
        as_of,
    )
    .execute(connection)
    .await
    .map_err(Error::of("resolve an alert"))?;
    Ok(resolved.rows_affected() > 0)
}

/// What strangers say may hold what Postgres cannot store.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Title and details as Postgres takes them; the details as text, since a parameter of a JSON type would be taken for jsonb,
/// which refuses some strings.
fn storable(alert: &NewAlert<'_>) -> (String, String) {
    (text(alert.title), alert.details.to_string())
}
