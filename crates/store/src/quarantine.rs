//! Bodies that were signed and are no event.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::EndpointName;
use sqlx::PgConnection;

/// A body to be kept for inspection.
#[derive(Debug, Clone)]
pub struct Quarantined {
    /// The endpoint that received it.
    pub endpoint: EndpointName,
    /// When it was read.
    pub received_at: DateTime<Utc>,
    /// The body.
    pub body: Vec<u8>,
    /// The delivery's content type.
    pub content_type: Option<String>,
    /// Why it is no event.
    pub problem: String,
}

/// Keeps a body.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn quarantine(connection: &mut PgConnection, body: &Quarantined) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO quarantine (endpoint, received_at, body, content_type, problem) VALUES ($1, $2, $3, $4, $5)",
        body.endpoint.as_str(),
        body.received_at,
        body.body,
        body.content_type,
        body.problem,
    )
    .execute(connection)
    .await
    .map_err(Error::of("quarantine a body"))?;
    Ok(())
}

/// How many bodies are kept.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn quarantined(connection: &mut PgConnection) -> Result<i64, Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM quarantine"#)
        .fetch_one(connection)
        .await
        .map_err(Error::of("count the quarantine"))
}
