//! Session threads: the primary one and the children a coordinator opens.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    clock,
    world::stamp::{Object, object, text},
};

/// One thread of a session; the first thread of a session is its primary one.
#[derive(Debug, Clone)]
pub(crate) struct Thread {
    object: Object,
}

impl Thread {
    pub(crate) fn new(
        id: &str,
        session: &str,
        parent: Option<&str>,
        agent: Object,
        at: DateTime<Utc>,
    ) -> Self {
        let time = clock::millis(at);
        let object = object(json!({
            "type": "session_thread", "id": id, "session_id": session, "parent_thread_id": parent,
            "status": "idle", "agent": thread_agent(agent),
            "stats": { "active_seconds": 0.0, "duration_seconds": 0.0, "startup_seconds": 0.0 }, "usage": null,
            "created_at": time, "updated_at": time, "archived_at": null,
        }));
        Self { object }
    }

    pub(crate) fn id(&self) -> &str {
        text(&self.object, "id")
    }

    pub(crate) fn status(&self) -> &str {
        text(&self.object, "status")
    }

    pub(crate) fn agent_name(&self) -> &str {
        self.object
            .get("agent")
            .and_then(|agent| agent.get("name"))
            .and_then(Value::as_str)
            .unwrap_or("Agent")
    }

    pub(crate) fn set(&mut self, member: &str, value: impl Into<Value>, at: DateTime<Utc>) {
        self.object.insert(member.into(), value.into());
        self.object.insert("updated_at".into(), clock::millis(at).into());
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.object.get("archived_at").is_some_and(|at| !at.is_null())
    }

    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    pub(crate) fn to_value(&self) -> Value {
        Value::Object(self.object.clone())
    }
}

/// A thread's agent is the session's without `multiagent`.
fn thread_agent(mut agent: Object) -> Object {
    agent.remove("multiagent");
    agent
}
