//! Example bodies of webhooks, one builder per dialect. Members beyond these are set on the returned value.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// The organization that all examples belong to.
pub const ORGANIZATION: &str = "org_01TestOrganization00001";

/// The workspace that all examples belong to.
pub const WORKSPACE: &str = "wrkspc_01TestWorkspace000001";

/// A new event id, as the platform forms them.
#[must_use]
pub fn event_id() -> String {
    format!("whe_{:032x}", rand::random::<u128>())
}

/// The platform's thin event: `event_type` (for example `session.status_idled`) about the resource `resource_id`.
#[must_use]
pub fn platform(event_id: &str, event_type: &str, resource_id: &str, created_at: DateTime<Utc>) -> Value {
    json!({
        "type": "event",
        "id": event_id,
        "created_at": whole_seconds(created_at),
        "data": {
            "type": event_type,
            "id": resource_id,
            "organization_id": ORGANIZATION,
            "workspace_id": WORKSPACE,
        },
    })
}

/// The flat thin event: its type at the top, the session named by `session_id`.
#[must_use]
pub fn flat(event_id: &str, event_type: &str, session_id: &str, created_at: DateTime<Utc>) -> Value {
    json!({
        "id": event_id,
        "type": event_type,
        "created_at": whole_seconds(created_at),
        "session_id": session_id,
    })
}

/// The classic full event `message.created`.
#[must_use]
pub fn message_created(event_id: &str, message_id: &str, created_at: DateTime<Utc>) -> Value {
    json!({
        "type": "message.created",
        "event_id": event_id,
        "created_at": created_at.timestamp(),
        "data": {
            "id": message_id,
            "model": "claude-test",
            "prompt_tokens": 150,
            "response_tokens": 50,
            "content": [{ "type": "text", "text": "Hello" }],
        },
    })
}

/// The classic full event `content_moderation.denied`.
#[must_use]
pub fn moderation_denied(event_id: &str, message_id: &str, created_at: DateTime<Utc>) -> Value {
    json!({
        "type": "content_moderation.denied",
        "event_id": event_id,
        "created_at": created_at.timestamp(),
        "data": {
            "id": message_id,
            "model": "claude-test",
            "prompt_tokens": 150,
            "response_tokens": 50,
            "content": [{ "type": "text", "text": "Something unwanted" }],
            "moderation_results": [{
                "input": ["Something unwanted"],
                "flagged_by": "content_policy",
                "level": "high",
                "scored_categories": { "sexual": "high", "hate_speech": "medium", "self_harm": "low" },
                "blocked_categories": ["sexual"],
            }],
        },
    })
}

/// The platform's time stamps have whole seconds, which is why ties are normal.
fn whole_seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
