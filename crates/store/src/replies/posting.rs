//! What a worker reads and writes about the replies it posts.

use crate::error::Error;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::HashMap;

/// A reply that is to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its event.
    pub event: i64,
    /// The request for a decision that it answers.
    pub effect: i64,
    /// The session it is posted to.
    pub session_id: String,
    /// The session event that it answers.
    pub tool_use_id: String,
    /// The event as it is posted.
    pub reply: Value,
    /// Who is at it.
    pub posting_by: Option<String>,
    /// Until when nobody else may be.
    pub posting_until: Option<DateTime<Utc>>,
    /// Whether an earlier POST of it may have been carried out although nobody heard of it.
    pub maybe_posted: bool,
    /// Whether a later decision on the same request has taken its place.
    pub is_replaced: bool,
}

/// The replies of events, by event, with their rows locked until the transaction ends. To be called with the events
/// locked.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn lock_replies(tx: &mut PgConnection, events: &[i64]) -> Result<HashMap<i64, Reply>, Error> {
    let replies = sqlx::query_as!(
        Reply,
        r#"
        SELECT event, effect, session_id, tool_use_id, reply, posting_by, posting_until, maybe_posted,
            EXISTS (
                SELECT FROM replies AS later
                WHERE later.effect = replies.effect AND later.number > replies.number
            ) AS "is_replaced!"
        FROM replies WHERE event = ANY($1) ORDER BY event FOR UPDATE OF replies
        "#,
        events,
    )
    .fetch_all(tx)
    .await
    .map_err(Error::of("lock replies"))?;
    Ok(replies.into_iter().map(|reply| (reply.event, reply)).collect())
}

/// Takes replies until `until`: nobody else posts them before. One that somebody else had taken may have been posted.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn hold_replies(
    tx: &mut PgConnection,
    events: &[i64],
    worker: &str,
    until: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE replies SET state = 'posting', posting_by = $2, posting_until = $3,
            maybe_posted = maybe_posted OR state = 'posting'
        WHERE event = ANY($1)
        "#,
        events,
        worker,
        until,
    )
    .execute(tx)
    .await
    .map_err(Error::of("take replies"))?;
    Ok(())
}

/// Gives replies back that were not posted as far as anybody knows; those of `maybe_posted` may have been.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn release_replies(
    tx: &mut PgConnection,
    events: &[i64],
    maybe_posted: &[i64],
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE replies SET state = 'queued', posting_by = NULL, posting_until = NULL,
            maybe_posted = maybe_posted OR event = ANY($2)
        WHERE event = ANY($1)
        "#,
        events,
        maybe_posted,
    )
    .execute(tx)
    .await
    .map_err(Error::of("give replies back"))?;
    Ok(())
}

/// How a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyEnd {
    /// The platform has it.
    Posted,
    /// Somebody else had answered.
    Elsewhere,
    /// The session does not wait for it any more, or a later decision has taken its place.
    Obsolete,
}

impl ReplyEnd {
    /// The name under which the end is stored and counted.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Elsewhere => "elsewhere",
            Self::Obsolete => "obsolete",
        }
    }
}

/// Writes how replies ended. Their events are to be finished in the same transaction.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn end_replies(tx: &mut PgConnection, ended: &[(i64, ReplyEnd)]) -> Result<(), Error> {
    let events: Vec<i64> = ended.iter().map(|(event, _)| *event).collect();
    let states: Vec<&str> = ended.iter().map(|(_, end)| end.as_str()).collect();
    sqlx::query!(
        r#"
        UPDATE replies SET state = ended.state, posting_by = NULL, posting_until = NULL
        FROM unnest($1::bigint[], $2::text[]) AS ended (event, state)
        WHERE replies.event = ended.event
        "#,
        &events,
        &states as _,
    )
    .execute(tx)
    .await
    .map_err(Error::of("end replies"))?;
    Ok(())
}
