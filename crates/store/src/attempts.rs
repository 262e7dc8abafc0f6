//! Failed tries, for people.

use crate::error::Error;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

/// One failed try.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// The generation it belongs to.
    pub generation: i32,
    /// First, second, third of that generation.
    pub number: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it failed.
    pub failed_at: DateTime<Utc>,
    /// Class of the failure.
    pub error_class: String,
    /// The whole chain of causes.
    pub error: String,
    /// The API's id of the request that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The worker process.
    pub worker: String,
}

/// The failed tries of an event, oldest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn attempts_of(connection: &mut PgConnection, event: i64) -> Result<Vec<Attempt>, Error> {
    sqlx::query_as!(
        Attempt,
        r#"
        SELECT generation, number, started_at, failed_at, class AS error_class, error, request_id, worker
        FROM attempts WHERE event = $1 ORDER BY generation, number
        "#,
        event,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read the tries of an event"))
}
