//! What is and what was, for comparing a receiver with: everything ever created, and every tool use with its replies.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::world::{
    World,
    catalog::{Kind, Resource},
    refusal::Refusal,
    session::Session,
    stamp::{Notice, Object, text},
};

/// Refused replies by the tool use that they named. Kept apart from the sessions, since a refused call leaves no
/// trace there.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<String, u64>);

/// The event types that answer a tool use, with the member that names it.
const ANSWERS: [(&str, &str); 3] = [
    ("user.custom_tool_result", "custom_tool_use_id"),
    ("user.tool_confirmation", "tool_use_id"),
    ("user.tool_result", "tool_use_id"),
];

/// The id of the tool use that an event answers.
fn answered(event: &Object) -> Option<&str> {
    let (_, member) = ANSWERS.into_iter().find(|(kind, _)| *kind == text(event, "type"))?;
    event.get(member).and_then(Value::as_str)
}

impl World {
    /// The send call: all events or none.
    pub(crate) fn receive(
        &mut self,
        session: &str,
        events: &[Object],
        now: DateTime<Utc>,
    ) -> Result<(Vec<Value>, Vec<Notice>), Refusal> {
        let done = self.change(session, now, |session, stamp| session.receive(events, stamp));
        if done.is_err() {
            for id in events.iter().filter_map(answered) {
                *self.replies.0.entry(id.to_owned()).or_default() += 1;
            }
        }
        done
    }

    /// One row per resource that exists or existed: `type`, `id`, `parent_id`, `status`, `deleted`, `archived_at`,
    /// `updated_at`, `object`.
    pub(crate) fn every_resource(&self) -> Vec<Value> {
        let living = self.sessions.values().map(|session| (session, false));
        let dead = self.graves.values().map(|session| (session, true));
        let mut rows = Vec::new();
        for (session, deleted) in living.chain(dead) {
            rows.push(row(&session.object, None, text(&session.object, "status"), deleted));
            for thread in &session.threads {
                rows.push(row(thread.object(), Some(session.id()), thread.status(), deleted));
            }
        }
        for kind in Kind::ALL {
            rows.extend(self.catalog.ever(kind).map(|item| {
                let parent = kind.rules().parent.map(|parent| format!("{}_id", parent.rules().name));
                let parent = parent.map(|member| text(&item.object, &member));
                row(&item.object, parent, item.status(kind), item.is_deleted())
            }));
        }
        rows
    }

    /// One row per tool use there has been: `tool_use_id`, `session`, `type`, `name`, `answered_by` (the event type
    /// that it waits for; null when the server has refused it itself), `accepted`, `refused`, `open`.
    pub(crate) fn every_reply(&self) -> Vec<Value> {
        let living = self.sessions.values().map(|session| (session, false));
        let dead = self.graves.values().map(|session| (session, true));
        living.chain(dead).flat_map(|(session, deleted)| self.replies_of(session, deleted)).collect()
    }

    fn replies_of(&self, session: &Session, deleted: bool) -> Vec<Value> {
        let mut accepted: BTreeMap<&str, u64> = BTreeMap::new();
        for id in session.events.iter().filter_map(|event| answered(event)) {
            *accepted.entry(id).or_default() += 1;
        }
        let uses = session.events.iter().filter(|event| {
            matches!(text(event, "type"), "agent.custom_tool_use" | "agent.tool_use" | "agent.mcp_tool_use")
        });
        let row = |event: &Object| {
            let (id, kind) = (text(event, "id"), text(event, "type"));
            let answered_by = match (kind, text(event, "evaluated_permission")) {
                ("agent.custom_tool_use", _) => Some("user.custom_tool_result"),
                (_, "deny") => None,
                (_, "allow") => Some("user.tool_result"),
                _ => Some("user.tool_confirmation"),
            };
            json!({
                "tool_use_id": id, "session": session.id(), "type": kind, "name": text(event, "name"),
                "answered_by": answered_by, "accepted": accepted.get(id).copied().unwrap_or_default(),
                "refused": self.replies.0.get(id).copied().unwrap_or_default(),
                "open": !deleted && session.open.contains_key(id),
            })
        };
        uses.map(|event| row(event)).collect()
    }
}

fn row(object: &Object, parent: Option<&str>, status: &str, deleted: bool) -> Value {
    let member = |name: &str| object.get(name).cloned().unwrap_or_default();
    json!({
        "type": member("type"), "id": member("id"), "parent_id": parent,
        "status": if deleted { "deleted" } else { status }, "deleted": deleted,
        "archived_at": member("archived_at"), "updated_at": member("updated_at"), "object": object,
    })
}

impl Resource {
    /// One word for the state of a resource that has no status of its own.
    fn status(&self, kind: Kind) -> &str {
        let set = |member: &str| self.object.get(member).is_some_and(|value| !value.is_null());
        match kind {
            Kind::DeploymentRun if set("error") => "failed",
            Kind::DeploymentRun if set("session_id") => "succeeded",
            Kind::DeploymentRun => "started",
            _ if self.is_archived() => "archived",
            Kind::Deployment => self.text("status"),
            Kind::Agent | Kind::Environment | Kind::Vault | Kind::Credential | Kind::MemoryStore => "active",
        }
    }
}
