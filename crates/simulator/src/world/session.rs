//! A session: the object the API shows, its stream of events, its threads and what it waits for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    clock,
    world::{
        lag::Lag,
        stamp::{Object, Stamp, object, text},
        thread::Thread,
    },
};

/// A tool use that a client may still answer, by what answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolUse {
    /// `agent.custom_tool_use`: answered by a result.
    Custom,
    /// A built-in or MCP tool that needs approval: answered by a confirmation.
    Approval,
    /// A built-in tool of a self-hosted environment: answered by its worker with a tool result.
    SelfHosted,
}

/// One session. Its state follows from its stream: `record` is the only place that changes it (see `record.rs`).
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) object: Object,
    /// In the order in which they happened; shared, because every change works on a copy of its session.
    pub(crate) events: Vec<Arc<Object>>,
    /// Never empty; the first is the primary thread.
    pub(crate) threads: Vec<Thread>,
    /// Unanswered tool uses by event id, with the thread each belongs to.
    pub(crate) open: BTreeMap<String, (ToolUse, Option<String>)>,
    pub(crate) answered: BTreeSet<String>,
    /// The ids named by the last `requires_action`, as far as they are unanswered.
    pub(crate) blocking: Vec<String>,
    /// The type of the last stop reason; empty before the first and while running.
    pub(crate) stopped_by: String,
    lag: Lag,
}

impl Session {
    /// An idle session; `given` members win over the defaults, objects are merged member by member.
    pub(crate) fn new(id: &str, given: Object, stamp: &mut Stamp<'_>) -> Self {
        let mut object = defaults(id, stamp);
        merge(&mut object, given);
        object.insert("id".into(), id.into());
        let agent = object.get("agent").and_then(Value::as_object).cloned().unwrap_or_default();
        let primary = Thread::new(&stamp.ids.resource("sthr"), id, None, agent, stamp.now);
        Self {
            object,
            events: Vec::new(),
            threads: vec![primary],
            open: BTreeMap::new(),
            answered: BTreeSet::new(),
            blocking: Vec::new(),
            stopped_by: String::new(),
            lag: Lag::default(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        text(&self.object, "id")
    }

    pub(crate) fn status(&self) -> &str {
        text(&self.object, "status")
    }

    pub(crate) fn is_running(&self) -> bool {
        self.status() == "running"
    }

    /// Tells one turn from the next: the event with which the current one began; none while not running.
    pub(crate) fn current_run(&self) -> Option<String> {
        let started = self.events.iter().rfind(|event| text(event, "type") == "session.status_running")?;
        self.is_running().then(|| text(started, "id").to_owned())
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.object.get("archived_at").is_some_and(|at| !at.is_null())
    }

    pub(crate) fn primary(&self) -> Option<&Thread> {
        self.threads.first()
    }

    pub(crate) fn thread(&self, id: &str) -> Option<&Thread> {
        self.threads.iter().find(|thread| thread.id() == id)
    }

    pub(crate) fn thread_mut(&mut self, id: &str) -> Option<&mut Thread> {
        self.threads.iter_mut().find(|thread| thread.id() == id)
    }

    pub(crate) fn set(&mut self, member: &str, value: impl Into<Value>, at: DateTime<Utc>) {
        self.object.insert(member.into(), value.into());
        self.object.insert("updated_at".into(), clock::millis(at).into());
    }

    /// Lets the next `fetches` reads see the state as it is now, whatever happens meanwhile.
    pub(crate) fn lag_behind(&mut self, fetches: u32) {
        self.lag = Lag::behind(&self.object, fetches);
    }

    /// What a fetch sees: the object, or an older one while the readable state lags.
    pub(crate) fn read(&mut self) -> Value {
        Value::Object(self.lag.read(&self.object))
    }
}

fn defaults(id: &str, stamp: &Stamp<'_>) -> Object {
    let time = stamp.text();
    object(json!({
        "type": "session", "id": id, "status": "idle", "title": null,
        "agent": {
            "type": "agent", "id": "agent_01SimulatedAgent0000000001", "version": 1, "name": "Simulated agent",
            "description": null, "model": { "id": "claude-opus-5", "effort": { "type": "high" }, "speed": "standard" },
            "system": null, "tools": [], "mcp_servers": [], "skills": [], "multiagent": null,
            "execution_identity": { "type": "service_account" },
        },
        "environment_id": "env_01SimulatedEnvironment000001",
        "metadata": {}, "resources": [], "vault_ids": [], "outcome_evaluations": [],
        "stats": { "active_seconds": 0.0, "duration_seconds": 0.0 },
        "usage": { "input_tokens": 0, "output_tokens": 0, "active_seconds": 0.0,
            "list_cost": { "amount": "0", "currency": "USD" } },
        "budget": null, "deployment_id": null,
        "created_at": time, "updated_at": time, "archived_at": null,
    }))
}

/// Puts `over` on top of `base`, object by object.
pub(crate) fn merge(base: &mut Object, over: Object) {
    for (name, value) in over {
        if let (Some(Value::Object(inner)), Value::Object(changes)) = (base.get_mut(&name), &value) {
            merge(inner, changes.clone());
        } else {
            base.insert(name, value);
        }
    }
}
