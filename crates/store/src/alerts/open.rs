//! Alerts that are open: what might end them, and how many there are.

use crate::error::{Error, word};
use chrono::{DateTime, Utc};
use domain::alert::{Cause, LaterEvent};
use domain::{AlertKind, ResourceKind, ResourceRef, Severity};
use serde_json::Value;
use sqlx::PgConnection;

/// An open alert about a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAlert {
    /// Its number.
    pub id: i64,
    /// What it is about.
    pub kind: AlertKind,
    /// What tells it from others of its kind.
    pub key: String,
    /// The resource.
    pub resource: ResourceRef,
    /// What it was raised for.
    pub cause: Cause,
    /// When it was last raised.
    pub last_raised_at: DateTime<Utc>,
}

/// Open alerts whose cause is known, in the order of their numbers, after number `after`. Kinds that this version does not
/// know are left out.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn open_alerts_of_resources(
    connection: &mut PgConnection,
    after: i64,
    limit: i64,
) -> Result<Vec<OpenAlert>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, kind, key, resource_type AS "resource_type!", resource_id AS "resource_id!", idle_event,
            caused_at AS "caused_at!", last_raised_at
        FROM alerts
        WHERE resolved_at IS NULL AND caused_at IS NOT NULL AND resource_id IS NOT NULL AND id > $1
        ORDER BY id LIMIT $2
        "#,
        after,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list open alerts"))?;
    let known = rows.into_iter().filter_map(|row| Some((row.kind.parse::<AlertKind>().ok()?, row)));
    known
        .map(|(kind, row)| {
            Ok(OpenAlert {
                id: row.id,
                kind,
                key: row.key,
                resource: ResourceRef {
                    kind: word::<ResourceKind>("alerts", "resource_type", row.id, &row.resource_type)?,
                    id: row.resource_id,
                    parent_id: None,
                },
                cause: Cause { idle_event: row.idle_event, at: row.caused_at },
                last_raised_at: row.last_raised_at,
            })
        })
        .collect()
}

/// What is known of the open alert of a kind and key.
#[derive(Debug, Clone)]
pub struct OpenFacts {
    /// Its number.
    pub id: i64,
    /// How urgent it is.
    pub severity: Severity,
    /// When it was last raised.
    pub last_raised_at: DateTime<Utc>,
    /// What was found out then.
    pub details: Value,
}

/// The open alert of a kind and key.
///
/// # Errors
/// When Postgres is away or refuses, or the row cannot be read.
pub async fn open_alert(
    connection: &mut PgConnection,
    kind: &str,
    key: &str,
) -> Result<Option<OpenFacts>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT id, severity, last_raised_at, details AS "details: Value" FROM alerts
        WHERE kind = $1 AND key = $2 AND resolved_at IS NULL
        "#,
        kind,
        key,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("find an open alert"))?;
    row.map(|row| {
        Ok(OpenFacts {
            id: row.id,
            severity: word("alerts", "severity", row.id, &row.severity)?,
            last_raised_at: row.last_raised_at,
            details: row.details,
        })
    })
    .transpose()
}

/// The events of a resource's history since `since`, oldest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn history_since(
    connection: &mut PgConnection,
    resource: &ResourceRef,
    since: DateTime<Utc>,
) -> Result<Vec<LaterEvent>, Error> {
    sqlx::query_as!(
        LaterEvent,
        r#"
        SELECT event_type, created_at FROM resource_history
        WHERE resource_type = $1 AND resource_id = $2 AND created_at >= $3
        ORDER BY created_at, rank
        "#,
        resource.kind.as_str(),
        resource.id,
        since,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read the later history"))
}

/// How many alerts are open, by severity; severities without any are left out.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn open_alert_figures(connection: &mut PgConnection) -> Result<Vec<(Severity, i64)>, Error> {
    let rows = sqlx::query!(
        r#"SELECT severity, count(*) AS "open!" FROM alerts WHERE resolved_at IS NULL GROUP BY severity"#
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("count open alerts"))?;
    rows.into_iter()
        .map(|row| Ok((word::<Severity>("alerts", "severity", "?", &row.severity)?, row.open)))
        .collect()
}

/// What an alert says of the event behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFacts {
    /// The sender's id.
    pub event_id: String,
    /// What happened.
    pub event_type: String,
    /// When it happened, by the sender's clock.
    pub created_at: DateTime<Utc>,
    /// The endpoint that received it.
    pub endpoint: String,
}

/// The event of this number.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn event_facts(connection: &mut PgConnection, event: i64) -> Result<Option<EventFacts>, Error> {
    sqlx::query_as!(
        EventFacts,
        "SELECT event_id, event_type, created_at, endpoint FROM events WHERE id = $1",
        event
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("read an event"))
}
