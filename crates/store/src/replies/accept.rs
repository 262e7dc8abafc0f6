//! Taking a decision in: the event, the schedule of its publish and the reply are written together.

use crate::accept::Source;
use crate::error::Error;
use crate::outbox::{Intention, Queue, schedule};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::ids::InvalidName;
use domain::{EventId, ResourceKind};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// The endpoint of the events that decisions are. No endpoint that receives deliveries may have this name.
pub const REPLY_ENDPOINT: &str = "replies";

/// Their type.
pub const REPLY_EVENT_TYPE: &str = "holdfast.reply";

/// A decision on a tool use, to be posted.
#[derive(Debug, Clone, Copy)]
pub struct NewReply<'a> {
    /// The request for a decision that it answers.
    pub effect: i64,
    /// The session that waits for it.
    pub session_id: &'a str,
    /// The session event that it answers.
    pub tool_use_id: &'a str,
    /// The event as it is to be posted.
    pub reply: &'a Value,
    /// Who or what decided.
    pub decided_by: &'a str,
}

/// Stores a decision as an event of our own, due now for the queue `replies`. Returns the number of the event.
///
/// # Errors
/// [`Error::Answered`] when the request has an answer that is on its way or has arrived; others when Postgres is away or
/// refuses.
pub async fn accept_reply(
    tx: &mut PgConnection,
    new: &NewReply<'_>,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let number = next_number(tx, new.effect).await?;
    let id = event_id(new, number).map_err(|problem| Error::Inconsistent {
        table: "effects",
        column: "key",
        row: new.effect.to_string(),
        value: problem.to_string(),
    })?;
    let payload = envelope(&id, new, now).to_string().into_bytes();
    let failed = Error::of("store a decision");
    let event = sqlx::query_scalar!(
        r#"
        INSERT INTO events (endpoint, event_id, event_type, dialect, source, resource_type, resource_id, organization_id,
            workspace_id, created_at, received_at, payload, content_type, traceparent)
        -- A decision belongs to the trace and the workspace of what asked for it.
        SELECT $2, $3, $4, 'platform', $5, $6, $7, cause.organization_id, cause.workspace_id, $8, $8, $9,
            'application/json', cause.traceparent
        FROM effects LEFT JOIN events AS cause ON cause.id = effects.event
        WHERE effects.id = $1
        RETURNING id
        "#,
        new.effect,
        REPLY_ENDPOINT,
        id.as_str(),
        REPLY_EVENT_TYPE,
        Source::Reply.as_str(),
        ResourceKind::Session.as_str(),
        new.session_id,
        now,
        payload,
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(&failed)?;
    sqlx::query!(
        r#"
        INSERT INTO replies (event, effect, number, session_id, tool_use_id, reply, decided_by, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        event,
        new.effect,
        number,
        new.session_id,
        new.tool_use_id,
        new.reply,
        new.decided_by,
        now,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    let intention = Intention { event, queue: Queue::Replies, generation: 1, tries: 0, due_at: now };
    schedule(tx, &[intention]).await?;
    Ok(event)
}

/// Counts on from the last decision, unless that one stands.
async fn next_number(tx: &mut PgConnection, effect: i64) -> Result<i32, Error> {
    let failed = Error::of("look for an earlier decision");
    // Of two that decide at once, the second waits here and finds the decision of the first.
    sqlx::query!("SELECT id FROM effects WHERE id = $1 FOR UPDATE", effect)
        .fetch_one(&mut *tx)
        .await
        .map_err(&failed)?;
    let last = sqlx::query!(
        "SELECT number, state FROM replies WHERE effect = $1 ORDER BY number DESC LIMIT 1",
        effect,
    )
    .fetch_optional(tx)
    .await
    .map_err(&failed)?;
    match last {
        Some(last) if !matches!(last.state.as_str(), "obsolete" | "failed") => {
            Err(Error::Answered { effect, number: last.number, state: last.state })
        }
        Some(last) => Ok(last.number.saturating_add(1)),
        None => Ok(1),
    }
}

fn event_id(new: &NewReply<'_>, number: i32) -> Result<EventId, InvalidName> {
    // A tool use whose id leaves no room is named by its request.
    EventId::new(format!("reply_{}_{number}", new.tool_use_id))
        .or_else(|_| EventId::new(format!("reply_{}_{number}", new.effect)))
}

/// The shape of the platform's own events, so that everything that shows events can show this one.
fn envelope(id: &EventId, new: &NewReply<'_>, now: DateTime<Utc>) -> Value {
    json!({
        "type": "event",
        "id": id.as_str(),
        "created_at": now.to_rfc3339_opts(SecondsFormat::Micros, true),
        "data": { "type": REPLY_EVENT_TYPE, "id": new.session_id, "reply": new.reply },
    })
}
