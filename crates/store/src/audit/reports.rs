//! What workers say about the messages in their hands.

use crate::error::Error;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

/// One worker's last report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerReport {
    /// Its name.
    pub worker: String,
    /// When it said so.
    pub reported_at: DateTime<Utc>,
    /// When the oldest message in its hands was delivered. `None`: it holds none.
    pub held_since: Option<DateTime<Utc>>,
    /// Whether it holds a message that somebody had before, about whose first delivery it knows nothing.
    pub holds_redelivered: bool,
}

/// Records what a worker holds.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn report_held(connection: &mut PgConnection, report: &WorkerReport) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO worker_reports (worker, reported_at, held_since)
        VALUES ($1, $2, CASE WHEN $4 THEN '-infinity' ELSE $3::timestamptz END)
        ON CONFLICT (worker) DO UPDATE SET reported_at = excluded.reported_at, held_since = excluded.held_since
        "#,
        report.worker,
        report.reported_at,
        report.held_since,
        report.holds_redelivered,
    )
    .execute(connection)
    .await
    .map_err(Error::of("report what is held"))?;
    Ok(())
}

/// The reports made at `since` or later.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn worker_reports(
    connection: &mut PgConnection,
    since: DateTime<Utc>,
) -> Result<Vec<WorkerReport>, Error> {
    sqlx::query_as!(
        WorkerReport,
        r#"
        SELECT worker, reported_at, CASE WHEN isfinite(held_since) THEN held_since END AS held_since,
            held_since IS NOT NULL AND NOT isfinite(held_since) AS "holds_redelivered!"
        FROM worker_reports WHERE reported_at >= $1 ORDER BY worker
        "#,
        since,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read what workers hold"))
}
