//! Replies that should have a message in the queue `replies`, or be in a worker's hands.
//!
//! Like the suspects of an audit, but simpler: the queue is short, and once it is empty, whatever is neither to be published
//! nor being posted has no message, or one in the hands of a worker that has not begun. One message too many does no harm.

use crate::error::{Error, count};
use crate::outbox::as_integer;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// A reply that nobody posts and of which nothing is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayReply {
    /// Its event.
    pub event: i64,
    /// The id of its event, for people.
    pub event_id: String,
    /// Its event's generation.
    pub generation: u32,
    /// Tries used up in this generation.
    pub tries: u32,
}

/// The replies that have a message in the queue at `now`, or lost it: the oldest `limit`.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn stray_replies(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StrayReply>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT events.id, events.event_id, events.generation, events.tries
        FROM replies JOIN events ON events.id = replies.event
        WHERE replies.state IN ('queued', 'posting') AND (posting_until IS NULL OR posting_until <= $1)
            AND events.status = 'pending' AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event = replies.event)
        ORDER BY replies.event LIMIT $2
        "#,
        now,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("look for lost replies"))?;
    rows.into_iter()
        .map(|row| {
            Ok(StrayReply {
                event: row.id,
                event_id: row.event_id,
                generation: count("events", "generation", row.id, row.generation)?,
                tries: count("events", "tries", row.id, row.tries)?,
            })
        })
        .collect()
}

/// Gives replies that are still stray and in the same try a message that is due now. Returns the numbers of their events.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn requeue_replies(
    tx: &mut PgConnection,
    stray: &[StrayReply],
    now: DateTime<Utc>,
) -> Result<Vec<i64>, Error> {
    let events: Vec<i64> = stray.iter().map(|stray| stray.event).collect();
    let generations: Vec<i32> = stray.iter().map(|stray| as_integer(stray.generation)).collect();
    let tries: Vec<i32> = stray.iter().map(|stray| as_integer(stray.tries)).collect();
    sqlx::query_scalar!(
        r#"
        WITH locked AS (
            -- Who is locked is with a worker. ORDER BY: everybody locks in the same order.
            SELECT events.id, events.generation, events.tries
            FROM unnest($1::bigint[], $2::integer[], $3::integer[]) AS stray (event, generation, tries)
            JOIN events ON events.id = stray.event AND events.generation = stray.generation
                AND events.tries = stray.tries
            JOIN replies ON replies.event = stray.event
            WHERE events.status = 'pending' AND (posting_until IS NULL OR posting_until <= $4)
            ORDER BY events.id FOR UPDATE OF events SKIP LOCKED
        )
        INSERT INTO outbox (event, queue, generation, tries, due_at)
        SELECT id, 'replies', generation, tries, $4 FROM locked ORDER BY id
        ON CONFLICT (event) DO NOTHING
        RETURNING event
        "#,
        &events,
        &generations,
        &tries,
        now,
    )
    .fetch_all(tx)
    .await
    .map_err(Error::of("queue lost replies again"))
}

/// How many replies stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplyFigures {
    /// To be posted, or being posted.
    pub open: i64,
    /// When the oldest of them was decided.
    pub oldest_at: Option<DateTime<Utc>>,
}

/// Counts the replies that have not ended.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn reply_figures(connection: &mut PgConnection) -> Result<ReplyFigures, Error> {
    sqlx::query_as!(
        ReplyFigures,
        r#"
        SELECT count(*) AS "open!", min(decided_at) AS oldest_at FROM replies WHERE state IN ('queued', 'posting')
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("count replies"))
}

/// Takes the right to look after lost replies, until the transaction ends. Returns whether nobody else has it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn try_lock_replies(tx: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, STRAY)
        .fetch_one(tx)
        .await
        .map_err(Error::of("elect who looks after replies"))
}

/// Names this duty among all advisory locks of the database; the number is arbitrary.
const STRAY: i64 = 7_061_510_009;
