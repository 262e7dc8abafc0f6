//! Which sink is to be told of which alert.

use super::list::AlertRow;
use crate::error::{Error, count};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

/// What a sink is told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertPhase {
    /// It was raised.
    Raised,
    /// It became more urgent.
    Escalated,
    /// It is over.
    Resolved,
}

impl AlertPhase {
    /// The name under which the phase is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
        }
    }

    fn of(text: &str) -> Self {
        match text {
            "resolved" => Self::Resolved,
            "escalated" => Self::Escalated,
            _ => Self::Raised,
        }
    }
}

/// Writes down what a sink has to be told of what happened since `since`, unless it is written already. An alert that was
/// over in the moment it was raised is told to nobody, and an end only to those who heard of the beginning.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_alert_deliveries(
    connection: &mut PgConnection,
    sink: &str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let recorded = sqlx::query!(
        r#"
        INSERT INTO alert_deliveries (alert, sink, phase, recorded_at, due_at)
        SELECT id, $1::text, 'raised', $3::timestamptz, $3::timestamptz FROM alerts
        WHERE raised_at > $2 AND resolved_at IS DISTINCT FROM raised_at
            AND NOT EXISTS (SELECT FROM alert_deliveries WHERE alert = alerts.id AND sink = $1 AND phase = 'raised')
        UNION ALL
        SELECT id, $1::text, 'escalated', $3::timestamptz, $3::timestamptz FROM alerts
        WHERE escalated_at > $2
            AND EXISTS (SELECT FROM alert_deliveries WHERE alert = alerts.id AND sink = $1 AND phase = 'raised')
            AND NOT EXISTS (SELECT FROM alert_deliveries WHERE alert = alerts.id AND sink = $1 AND phase = 'escalated')
        UNION ALL
        SELECT id, $1::text, 'resolved', $3::timestamptz, $3::timestamptz FROM alerts
        WHERE resolved_at > $2 AND resolved_at IS DISTINCT FROM raised_at
            AND EXISTS (SELECT FROM alert_deliveries WHERE alert = alerts.id AND sink = $1 AND phase = 'raised')
            AND NOT EXISTS (SELECT FROM alert_deliveries WHERE alert = alerts.id AND sink = $1 AND phase = 'resolved')
        ON CONFLICT DO NOTHING
        "#,
        sink,
        since,
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("record deliveries of alerts"))?;
    Ok(recorded.rows_affected())
}

/// A claimed delivery.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// The alert as it is now.
    pub alert: AlertRow,
    /// What is to be told.
    pub phase: AlertPhase,
    /// How often it has failed.
    pub tries: u32,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
}

/// Claims up to `limit` deliveries to a sink that are due at `now`, until `lease_ends`. What was raised is told before what
/// became of it.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn claim_alert_deliveries(
    connection: &mut PgConnection,
    sink: &str,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueDelivery>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH due AS (
            SELECT alert, phase FROM alert_deliveries AS this
            WHERE sink = $1 AND due_at <= $2 AND delivered_at IS NULL AND given_up_at IS NULL
                AND (phase = 'raised' OR NOT EXISTS (
                    SELECT FROM alert_deliveries AS earlier
                    WHERE earlier.alert = this.alert AND earlier.sink = $1 AND earlier.phase = 'raised'
                        AND earlier.delivered_at IS NULL AND earlier.given_up_at IS NULL
                ))
            ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE alert_deliveries SET due_at = $3 FROM due
            WHERE alert_deliveries.alert = due.alert AND alert_deliveries.sink = $1 AND alert_deliveries.phase = due.phase
            RETURNING alert_deliveries.alert, alert_deliveries.phase, tries, recorded_at
        )
        SELECT claimed.phase, claimed.tries, claimed.recorded_at, alerts.id, alerts.kind, alerts.key, severity, title,
            alerts.resource_type, alerts.resource_id, events.event_id AS "event_id?", times, raised_at, last_raised_at,
            resolved_at, resolution, details AS "details: Value"
        FROM claimed JOIN alerts ON alerts.id = claimed.alert LEFT JOIN events ON events.id = alerts.event
        ORDER BY alerts.id
        "#,
        sink,
        now,
        lease_ends,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("claim deliveries of alerts"))?;
    rows.into_iter()
        .map(|row| {
            Ok(DueDelivery {
                phase: AlertPhase::of(&row.phase),
                tries: count("alert_deliveries", "tries", row.id, row.tries)?,
                recorded_at: row.recorded_at,
                alert: AlertRow {
                    id: row.id,
                    kind: row.kind,
                    key: row.key,
                    severity: row.severity,
                    title: row.title,
                    resource_type: row.resource_type,
                    resource_id: row.resource_id,
                    event_id: row.event_id,
                    times: row.times,
                    raised_at: row.raised_at,
                    last_raised_at: row.last_raised_at,
                    resolved_at: row.resolved_at,
                    resolution: row.resolution,
                    details: row.details,
                },
            })
        })
        .collect()
}

/// Writes that a sink was told.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn finish_alert_delivery(
    connection: &mut PgConnection,
    alert: i64,
    sink: &str,
    phase: AlertPhase,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE alert_deliveries SET delivered_at = $4, last_error = NULL
        WHERE alert = $1 AND sink = $2 AND phase = $3 AND delivered_at IS NULL
        "#,
        alert,
        sink,
        phase.as_str(),
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("finish a delivery of an alert"))?;
    Ok(())
}

/// Counts a failure, and puts the delivery off until `due_at`; `None` gives it up.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn fail_alert_delivery(
    connection: &mut PgConnection,
    delivery: (i64, &str, AlertPhase),
    error: &str,
    due_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (alert, sink, phase) = delivery;
    sqlx::query!(
        r#"
        UPDATE alert_deliveries SET tries = tries + 1, last_error = $4, due_at = coalesce($5, due_at),
            given_up_at = CASE WHEN $5::timestamptz IS NULL THEN $6::timestamptz END
        WHERE alert = $1 AND sink = $2 AND phase = $3 AND delivered_at IS NULL
        "#,
        alert,
        sink,
        phase.as_str(),
        super::text(error),
        due_at,
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("put off a delivery of an alert"))?;
    Ok(())
}

/// One delivery, for people.
#[derive(Debug, Clone, Serialize)]
pub struct AlertDelivery {
    /// Who is told.
    pub sink: String,
    /// What: `raised`, `escalated` or `resolved`.
    pub phase: String,
    /// How often it has failed.
    pub tries: i32,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was told.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was given up.
    pub given_up_at: Option<DateTime<Utc>>,
}

/// The deliveries of an alert, oldest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn alert_deliveries_of(
    connection: &mut PgConnection,
    alert: i64,
) -> Result<Vec<AlertDelivery>, Error> {
    sqlx::query_as!(
        AlertDelivery,
        r#"
        SELECT sink, phase, tries, last_error, delivered_at, given_up_at FROM alert_deliveries
        WHERE alert = $1 ORDER BY recorded_at, sink, phase
        "#,
        alert,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list the deliveries of an alert"))
}
