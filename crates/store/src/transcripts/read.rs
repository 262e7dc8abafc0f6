//! Transcripts, for people.

use crate::error::Error;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

/// One transcript.
#[derive(Debug, Clone, Serialize)]
pub struct TranscriptRow {
    /// The session.
    pub session_id: String,
    /// Which parts are the transcript; 0 while there is none.
    #[serde(skip)]
    pub generation: i32,
    /// Whether it holds everything up to its fetch.
    pub complete: bool,
    /// Why not.
    pub reason: Option<String>,
    /// When its fetch began; `None` while there is none.
    pub fetched_at: Option<DateTime<Utc>>,
    /// How many events.
    pub events: i64,
    /// Child threads among them.
    pub threads: i32,
    /// Length of all lines, uncompressed.
    pub bytes: i64,
    /// What they take in Postgres.
    pub stored_bytes: i64,
    /// SHA-256 of all lines, in hex.
    pub sha256: Option<String>,
    /// The last event of the session's own list.
    pub last_event_id: Option<String>,
    /// Whether somebody fetches it at the moment, or has begun and died.
    pub fetching: bool,
}

/// Which transcripts to list.
#[derive(Debug, Clone, Default)]
pub struct TranscriptFilter {
    /// Only those that are not complete.
    pub incomplete: bool,
    /// How many at most.
    pub limit: i64,
}

/// The transcripts that match, the newest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn list_transcripts(
    connection: &mut PgConnection,
    filter: &TranscriptFilter,
) -> Result<Vec<TranscriptRow>, Error> {
    sqlx::query_as!(
        TranscriptRow,
        r#"
        SELECT session_id, generation, complete, reason, fetched_at, events, threads, bytes, stored_bytes,
            encode(sha256, 'hex') AS sha256, last_event_id, fetching_until IS NOT NULL AS "fetching!"
        FROM transcripts WHERE NOT ($1 AND complete)
        ORDER BY coalesce(fetched_at, began_at) DESC NULLS LAST, session_id LIMIT $2
        "#,
        filter.incomplete,
        filter.limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list transcripts"))
}

/// The transcript of a session.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn find_transcript(
    connection: &mut PgConnection,
    session_id: &str,
) -> Result<Option<TranscriptRow>, Error> {
    sqlx::query_as!(
        TranscriptRow,
        r#"
        SELECT session_id, generation, complete, reason, fetched_at, events, threads, bytes, stored_bytes,
            encode(sha256, 'hex') AS sha256, last_event_id, fetching_until IS NOT NULL AS "fetching!"
        FROM transcripts WHERE session_id = $1
        "#,
        session_id,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("find a transcript"))
}

/// One list of events within a transcript.
#[derive(Debug, Clone, Serialize)]
pub struct TranscriptThread {
    /// The child thread; `None` for the session's own list.
    pub thread_id: Option<String>,
    /// How many events.
    pub events: i64,
    /// Length of their lines, uncompressed.
    pub bytes: i64,
}

/// The lists of a transcript, in the order of its lines.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn transcript_threads(
    connection: &mut PgConnection,
    session_id: &str,
    generation: i32,
) -> Result<Vec<TranscriptThread>, Error> {
    sqlx::query_as!(
        TranscriptThread,
        r#"
        SELECT thread_id, sum(events)::bigint AS "events!", sum(bytes)::bigint AS "bytes!" FROM transcript_parts
        WHERE session_id = $1 AND generation = $2 GROUP BY position, thread_id ORDER BY position
        "#,
        session_id,
        generation,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list the threads of a transcript"))
}
