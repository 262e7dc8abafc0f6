//! The three shapes in which an event arrives.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clock,
    world::{Notice, Object, object, text},
};

/// The organization that owns everything here.
pub(crate) const ORGANIZATION: &str = "org_01SimulatedOrganization01";
const WORKSPACE: &str = "wrkspc_01SimulatedWorkspace01";

/// The shape of the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// The platform's: `type: event`, everything else in `data`.
    #[default]
    Platform,
    /// The event type at the top, the resource in `data.id`.
    Flat,
    /// Full payload with `event_id` and Unix seconds.
    Classic,
}

/// One event before it is written down in a dialect.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) event_id: String,
    pub(crate) kind: String,
    pub(crate) created_at: DateTime<Utc>,
    /// Members of `data`, on top of those that every event has.
    pub(crate) data: Object,
    /// Members beside `data`, winning over all others.
    pub(crate) extra: Object,
}

impl Envelope {
    /// The event that a change of state announces.
    pub(crate) fn of(notice: &Notice, event_id: String) -> Self {
        let mut data = object(json!({ "id": notice.subject }));
        data.extend(notice.data.clone());
        Self { event_id, kind: notice.kind.clone(), created_at: notice.at, data, extra: Object::new() }
    }

    /// The session the event is about, if any.
    pub(crate) fn session(&self) -> Option<String> {
        self.resource().filter(|id| id.starts_with("sesn_"))
    }

    /// The id of what the event is about, if any.
    pub(crate) fn resource(&self) -> Option<String> {
        let id = text(&self.data, "id");
        (!id.is_empty()).then(|| id.to_owned())
    }

    /// The bytes of the request body.
    pub(crate) fn body(&self, dialect: Dialect) -> Bytes {
        let mut body = object(match dialect {
            Dialect::Platform => json!({
                "type": "event", "id": self.event_id, "created_at": clock::seconds(self.created_at),
                "data": self.data_over(self.owners()),
            }),
            Dialect::Flat => json!({
                "id": self.event_id, "type": self.kind, "created_at": clock::seconds(self.created_at),
                "data": self.data_over(json!({ "workspace_id": WORKSPACE })),
            }),
            Dialect::Classic => json!({
                "type": self.kind, "event_id": self.event_id, "created_at": self.created_at.timestamp(),
                "data": self.data_over(classic_data(&self.kind, &self.event_id)),
            }),
        });
        body.extend(self.extra.clone());
        Bytes::from(Value::Object(body).to_string())
    }

    /// Whose event it is. Those about an organization's own things belong to no workspace.
    fn owners(&self) -> Value {
        if self.kind.starts_with("external_key.") || self.kind.starts_with("user_profile.") {
            return json!({ "type": self.kind, "organization_id": ORGANIZATION });
        }
        json!({ "type": self.kind, "organization_id": ORGANIZATION, "workspace_id": WORKSPACE })
    }

    fn data_over(&self, defaults: Value) -> Value {
        let mut data = object(defaults);
        data.extend(self.data.clone());
        Value::Object(data)
    }
}

fn classic_data(kind: &str, event_id: &str) -> Value {
    let tail: String = event_id.chars().rev().take(12).collect();
    let mut data = json!({
        "id": format!("msg_{tail}"), "model": "claude-opus-5", "prompt_tokens": 150, "response_tokens": 50,
        "content": [{ "type": "text", "text": "Simulated message." }],
    });
    if kind == "content_moderation.denied"
        && let Some(data) = data.as_object_mut()
    {
        let result = json!([{
            "input": ["Simulated message."], "flagged_by": "content_policy", "level": "high",
            "scored_categories": { "sexual": "high", "hate_speech": "medium", "self_harm": "low" },
            "blocked_categories": ["sexual"],
        }]);
        data.insert("moderation_results".into(), result);
    }
    data
}

#[cfg(test)]
mod tests;
