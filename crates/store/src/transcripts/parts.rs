//! The parts of transcripts: pages of event lists, compressed.

use super::TranscriptHold;
use crate::error::Error;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// A page to be kept.
#[derive(Debug)]
pub struct NewTranscriptPart<'a> {
    /// Place of its list: 0 for the session's own.
    pub position: i32,
    /// Number of the page in its list, from 0.
    pub part: i32,
    /// The thread whose list it is; `None` for the session's own.
    pub thread_id: Option<&'a str>,
    /// How many events.
    pub events: i32,
    /// Length of their lines, uncompressed.
    pub bytes: i64,
    /// The last event of the page.
    pub last_event_id: Option<&'a str>,
    /// The cursor of the page after it.
    pub next_page: Option<&'a str>,
    /// The lines, compressed.
    pub body: &'a [u8],
}

/// Keeps a page and prolongs the lease. Returns whether the right to do so was still there.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn add_transcript_part(
    connection: &mut PgConnection,
    hold: &TranscriptHold,
    part: &NewTranscriptPart<'_>,
    lease_ends: DateTime<Utc>,
) -> Result<bool, Error> {
    let added = sqlx::query!(
        r#"
        WITH held AS (
            UPDATE transcripts SET fetching_until = $12 WHERE session_id = $1 AND attempt = $2 AND fetching = $3
            RETURNING session_id
        )
        INSERT INTO transcript_parts
            (session_id, generation, position, part, thread_id, events, bytes, last_event_id, next_page, body)
        SELECT session_id, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM held
        "#,
        hold.session_id,
        hold.attempt,
        hold.generation,
        part.position,
        part.part,
        part.thread_id,
        part.events,
        part.bytes,
        part.last_event_id,
        part.next_page,
        part.body,
        lease_ends,
    )
    .execute(connection)
    .await
    .map_err(Error::of("keep a part of a transcript"))?;
    Ok(added.rows_affected() > 0)
}

/// What is known of a part without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRow {
    /// Place of its list: 0 for the session's own.
    pub position: i32,
    /// Number of the page in its list.
    pub part: i32,
    /// The thread whose list it is; `None` for the session's own.
    pub thread_id: Option<String>,
    /// How many events.
    pub events: i32,
    /// Length of their lines, uncompressed.
    pub bytes: i64,
    /// The last event of the page.
    pub last_event_id: Option<String>,
    /// The cursor of the page after it.
    pub next_page: Option<String>,
}

/// The parts of a generation, in their order.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn transcript_parts(
    connection: &mut PgConnection,
    session_id: &str,
    generation: i32,
) -> Result<Vec<PartRow>, Error> {
    sqlx::query_as!(
        PartRow,
        r#"
        SELECT position, part, thread_id, events, bytes, last_event_id, next_page FROM transcript_parts
        WHERE session_id = $1 AND generation = $2 ORDER BY position, part
        "#,
        session_id,
        generation,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list the parts of a transcript"))
}

/// The compressed lines of one part; `None` when it is gone, because a newer fetch has replaced it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn transcript_body(
    connection: &mut PgConnection,
    session_id: &str,
    generation: i32,
    position: i32,
    part: i32,
) -> Result<Option<Vec<u8>>, Error> {
    sqlx::query_scalar!(
        "SELECT body FROM transcript_parts WHERE session_id = $1 AND generation = $2 AND position = $3 AND part = $4",
        session_id,
        generation,
        position,
        part,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("read a part of a transcript"))
}
