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

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept.
    New,
    /// It was kept before; its row counts it.
    Again,
    /// It is not kept: there are too many already.
    Full,
}

/// Keeps a body, once however often it comes. With a `bound`, a new one is kept only while there are fewer than so many;
/// those who come at the same moment may exceed it by a few.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn quarantine(
    connection: &mut PgConnection,
    body: &Quarantined,
    bound: Option<i64>,
) -> Result<Kept, Error> {
    let times = sqlx::query_scalar!(
        r#"
        INSERT INTO quarantine (endpoint, received_at, body, content_type, problem, digest)
        SELECT $1, $2, $3, $4, $5, sha256($3)
        WHERE $6::bigint IS NULL OR (SELECT count(*) FROM quarantine) < $6
            OR EXISTS (SELECT FROM quarantine WHERE endpoint = $1 AND digest = sha256($3))
        ON CONFLICT (endpoint, digest) DO UPDATE SET times = quarantine.times + 1
        RETURNING times
        "#,
        body.endpoint.as_str(),
        body.received_at,
        body.body,
        body.content_type,
        body.problem,
        bound,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("quarantine a body"))?;
    Ok(match times {
        None => Kept::Full,
        Some(1) => Kept::New,
        Some(_) => Kept::Again,
    })
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
