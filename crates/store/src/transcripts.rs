//! Transcripts: who fetches one, what is there, and the moment in which a fetch becomes the transcript.

mod parts;
mod read;

use crate::error::Error;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use parts::{NewTranscriptPart, PartRow, add_transcript_part, transcript_body, transcript_parts};
pub use read::{
    TranscriptFilter, TranscriptRow, TranscriptThread, find_transcript, list_transcripts, transcript_threads,
};

/// The right to write one generation of a session's transcript, for as long as its lease is prolonged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptHold {
    /// The session.
    pub session_id: String,
    /// The generation that is written.
    pub generation: i32,
    /// Which attempt this is; a newer one takes the right away.
    pub attempt: i32,
}

/// Takes the right to fetch a session's transcript until `lease_ends`, on behalf of `effect`; `None` while somebody else has
/// it, or when the effect is finished. What a fetch has written that died is gone on with, if it began after `not_before` and after the effect was
/// recorded; other leftovers are dropped and a new generation is begun.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn begin_transcript(
    tx: &mut PgConnection,
    session_id: &str,
    effect: i64,
    not_before: DateTime<Utc>,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
) -> Result<Option<TranscriptHold>, Error> {
    let failed = Error::of("begin a transcript");
    let row = sqlx::query!(
        r#"
        WITH due AS (
            SELECT coalesce(array_agg(id), '{}') AS ids FROM effects
            WHERE resource_type = 'session' AND resource_id = $1 AND kind = 'archive' AND standing = 'due' AND done_at IS NULL
        )
        INSERT INTO transcripts (session_id, fetching, attempt, began_at, covers, fetching_until)
        SELECT $1, 1, 1, $3, ids, $4 FROM due
        ON CONFLICT (session_id) DO UPDATE SET
            attempt = transcripts.attempt + 1,
            fetching_until = $4,
            fetching = CASE WHEN transcripts.fetching > transcripts.generation AND transcripts.began_at >= $2
                    AND $5 = ANY(transcripts.covers)
                THEN transcripts.fetching ELSE transcripts.fetching + 1 END,
            began_at = CASE WHEN transcripts.fetching > transcripts.generation AND transcripts.began_at >= $2
                    AND $5 = ANY(transcripts.covers)
                THEN transcripts.began_at ELSE $3 END,
            covers = CASE WHEN transcripts.fetching > transcripts.generation AND transcripts.began_at >= $2
                    AND $5 = ANY(transcripts.covers)
                THEN transcripts.covers ELSE excluded.covers END
            WHERE (transcripts.fetching_until IS NULL OR transcripts.fetching_until <= $3)
                -- Another fetch may have finished it in the meantime.
                AND EXISTS (SELECT FROM effects WHERE id = $5 AND done_at IS NULL)
        RETURNING fetching, attempt
        "#,
        session_id,
        not_before,
        now,
        lease_ends,
        effect,
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(&failed)?;
    let Some(row) = row else { return Ok(None) };
    sqlx::query!(
        r#"
        DELETE FROM transcript_parts USING transcripts
        WHERE transcript_parts.session_id = $1 AND transcripts.session_id = $1
            AND transcript_parts.generation NOT IN (transcripts.generation, transcripts.fetching)
        "#,
        session_id,
    )
    .execute(tx)
    .await
    .map_err(&failed)?;
    Ok(Some(TranscriptHold {
        session_id: session_id.to_owned(),
        generation: row.fetching,
        attempt: row.attempt,
    }))
}

/// Gives the right back: somebody may go on at once. With `anew` what was written is not gone on with.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn release_transcript(
    connection: &mut PgConnection,
    hold: &TranscriptHold,
    anew: bool,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE transcripts SET fetching_until = NULL, began_at = CASE WHEN $3 THEN NULL ELSE began_at END
        WHERE session_id = $1 AND attempt = $2
        "#,
        hold.session_id,
        hold.attempt,
        anew,
    )
    .execute(connection)
    .await
    .map_err(Error::of("release a transcript"))?;
    Ok(())
}

/// What a fetch that ended has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedTranscript<'a> {
    /// Why it is not complete; `None` when it is.
    pub reason: Option<&'a str>,
    /// Child threads whose events are among the parts.
    pub threads: i32,
    /// Events of all parts.
    pub events: i64,
    /// Length of all lines, uncompressed.
    pub bytes: i64,
    /// Of all lines, uncompressed.
    pub sha256: &'a [u8],
    /// The last event of the session's own list.
    pub last_event_id: Option<&'a str>,
}

/// Makes what was fetched the session's transcript, and drops the one before. Returns whether the right to do so was still
/// there.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn finish_transcript(
    tx: &mut PgConnection,
    hold: &TranscriptHold,
    fetched: &FetchedTranscript<'_>,
) -> Result<bool, Error> {
    let failed = Error::of("finish a transcript");
    let done = sqlx::query!(
        r#"
        UPDATE transcripts SET generation = fetching, fetched_at = began_at, complete = $3::text IS NULL, reason = $3,
            threads = $4, events = $5, bytes = $6, sha256 = $7, last_event_id = $8, fetching_until = NULL,
            stored_bytes = (SELECT coalesce(sum(length(body)), 0) FROM transcript_parts
                WHERE session_id = $1 AND generation = transcripts.fetching)
        WHERE session_id = $1 AND attempt = $2
        "#,
        hold.session_id,
        hold.attempt,
        fetched.reason,
        fetched.threads,
        fetched.events,
        fetched.bytes,
        fetched.sha256,
        fetched.last_event_id,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "DELETE FROM transcript_parts WHERE session_id = $1 AND generation <> $2",
        hold.session_id,
        hold.generation,
    )
    .execute(tx)
    .await
    .map_err(&failed)?;
    Ok(true)
}

/// Keeps the transcript that is there although the session is gone, and says that it may lack what came later. Returns
/// whether the right to do so was still there.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn keep_transcript(
    tx: &mut PgConnection,
    hold: &TranscriptHold,
    reason: &str,
) -> Result<bool, Error> {
    let failed = Error::of("keep a transcript");
    let done = sqlx::query!(
        r#"
        UPDATE transcripts SET complete = false, reason = $3, fetching_until = NULL, began_at = NULL
        WHERE session_id = $1 AND attempt = $2 AND generation > 0
        "#,
        hold.session_id,
        hold.attempt,
        reason,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "DELETE FROM transcript_parts WHERE session_id = $1 AND generation = $2",
        hold.session_id,
        hold.generation,
    )
    .execute(tx)
    .await
    .map_err(&failed)?;
    Ok(true)
}

/// Finishes all effects of a session that were recorded when its last fetch began. Returns how many.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn finish_archiving(
    tx: &mut PgConnection,
    session_id: &str,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        UPDATE effects SET done_at = $2, last_error = NULL
        FROM transcripts
        WHERE transcripts.session_id = $1 AND effects.id = ANY(transcripts.covers) AND effects.done_at IS NULL
            AND effects.standing = 'due'
        "#,
        session_id,
        now,
    )
    .execute(tx)
    .await
    .map_err(Error::of("finish archiving"))?;
    Ok(done.rows_affected())
}
