//! How endpoints fare, by what the ingest processes write down.

use crate::error::Error;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

/// How one process answers the deliveries of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointHealth {
    /// The endpoint.
    pub endpoint: String,
    /// The process.
    pub process: String,
    /// Deliveries answered with success since the process began.
    pub successes: i64,
    /// Deliveries answered otherwise.
    pub failures: i64,
    /// Those of them since its last success.
    pub failures_in_a_row: i64,
    /// When the first of these was.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it last answered with success.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it last answered otherwise.
    pub last_failure_at: Option<DateTime<Utc>>,
    /// The reason in that answer.
    pub last_failure_reason: Option<String>,
}

/// Writes how endpoints fare in one process, in the place of what it wrote before. Of a process of the same name that ended,
/// the last times stay.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn write_endpoint_health(
    connection: &mut PgConnection,
    health: &[EndpointHealth],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    for health in health {
        sqlx::query!(
            r#"
            INSERT INTO endpoint_health (endpoint, process, written_at, successes, failures, failures_in_a_row,
                failing_since, last_success_at, last_failure_at, last_failure_reason)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (endpoint, process) DO UPDATE SET written_at = $3, successes = $4, failures = $5,
                failures_in_a_row = $6, failing_since = $7,
                last_success_at = coalesce($8, endpoint_health.last_success_at),
                last_failure_at = coalesce($9, endpoint_health.last_failure_at),
                last_failure_reason = coalesce($10, endpoint_health.last_failure_reason)
            "#,
            health.endpoint,
            health.process,
            now,
            health.successes,
            health.failures,
            health.failures_in_a_row,
            health.failing_since,
            health.last_success_at,
            health.last_failure_at,
            health.last_failure_reason,
        )
        .execute(&mut *connection)
        .await
        .map_err(Error::of("write how endpoints fare"))?;
    }
    Ok(())
}

/// How all endpoints fare, in all processes that are remembered.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn endpoint_health(connection: &mut PgConnection) -> Result<Vec<EndpointHealth>, Error> {
    sqlx::query_as!(
        EndpointHealth,
        r#"
        SELECT endpoint, process, successes, failures, failures_in_a_row, failing_since, last_success_at, last_failure_at,
            last_failure_reason
        FROM endpoint_health ORDER BY endpoint, process
        "#,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read how endpoints fare"))
}

/// Forgets processes that have not written since `before`.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn forget_endpoint_health(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!("DELETE FROM endpoint_health WHERE written_at < $1", before)
        .execute(connection)
        .await
        .map_err(Error::of("forget how endpoints fared"))?;
    Ok(())
}

/// Takes the right to watch, until the transaction ends. Returns whether nobody else has it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn try_lock_watching(tx: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, WATCHING)
        .fetch_one(tx)
        .await
        .map_err(Error::of("elect the watch"))
}

/// Names the watch among all advisory locks of the database; the number is arbitrary.
const WATCHING: i64 = 7_061_510_011;
