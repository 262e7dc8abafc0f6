//! How a session's state follows from its stream.
//!
//! Every change, by an API call, a scenario or a raw event put in through the control API, goes through
//! [`Session::record`]; therefore the object, the threads and the waiting ids never disagree with the event list.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    clock,
    world::{
        session::{Session, ToolUse, merge},
        stamp::{Object, object, text},
        thread::Thread,
    },
};

impl Session {
    /// Appends one event and takes over what it says.
    pub(crate) fn record(&mut self, event: Object, at: DateTime<Utc>) {
        let id = text(&event, "id").to_owned();
        let thread = event.get("session_thread_id").and_then(Value::as_str).map(str::to_owned);
        match text(&event, "type") {
            "session.status_running" => {
                self.blocking.clear();
                self.stopped_by.clear();
                self.set("status", "running", at);
            }
            "session.status_idle" => self.record_idle(&event, at),
            "session.status_rescheduled" => self.set("status", "rescheduling", at),
            "session.status_terminated" => self.record_end(at),
            "session.usage" => self.record_usage(&event, at),
            "session.updated" => self.record_update(&event, at),
            "session.thread_created" => self.record_thread(thread.as_deref(), &event, at),
            "session.thread_status_running" => self.record_thread_status(thread.as_deref(), "running", at),
            "session.thread_status_idle" => self.record_thread_status(thread.as_deref(), "idle", at),
            "session.thread_status_rescheduled" => {
                self.record_thread_status(thread.as_deref(), "rescheduling", at);
            }
            "session.thread_status_terminated" => {
                self.record_thread_status(thread.as_deref(), "terminated", at);
                self.open.retain(|_, (_, owner)| *owner != thread);
            }
            "agent.custom_tool_use" => self.record_tool_use(id, ToolUse::Custom, thread),
            "agent.tool_use" | "agent.mcp_tool_use" => match text(&event, "evaluated_permission") {
                "deny" => {}
                "allow" => self.record_tool_use(id, ToolUse::SelfHosted, thread),
                _ => self.record_tool_use(id, ToolUse::Approval, thread),
            },
            "user.custom_tool_result" => self.record_answer(text(&event, "custom_tool_use_id")),
            "user.tool_confirmation" | "user.tool_result" => self.record_answer(text(&event, "tool_use_id")),
            "user.define_outcome" | "span.outcome_evaluation_end" => self.record_outcome(&event, at),
            _ => {}
        }
        self.events.push(Arc::new(event));
    }

    fn record_idle(&mut self, event: &Object, at: DateTime<Utc>) {
        let reason = event.get("stop_reason").cloned().map(object).unwrap_or_default();
        text(&reason, "type").clone_into(&mut self.stopped_by);
        let ids = reason.get("event_ids").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        self.blocking = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        self.set("status", "idle", at);
    }

    fn record_end(&mut self, at: DateTime<Utc>) {
        self.blocking.clear();
        self.open.clear();
        for thread in &mut self.threads {
            thread.set("status", "terminated", at);
        }
        self.set("status", "terminated", at);
    }

    fn record_usage(&mut self, event: &Object, at: DateTime<Utc>) {
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            self.set("usage", usage.clone(), at);
        }
    }

    fn record_update(&mut self, event: &Object, at: DateTime<Utc>) {
        let members = ["agent", "budget", "metadata", "title"];
        let changes = event.iter().filter(|(name, _)| members.contains(&name.as_str()));
        let mut changes: Object = changes.map(|(name, value)| (name.clone(), value.clone())).collect();
        // Metadata is replaced as a whole; the others are merged.
        if let Some(metadata) = changes.remove("metadata") {
            self.object.insert("metadata".into(), metadata);
        }
        merge(&mut self.object, changes);
        self.object.insert("updated_at".into(), clock::millis(at).into());
    }

    fn record_thread(&mut self, thread: Option<&str>, event: &Object, at: DateTime<Utc>) {
        let Some(id) = thread.filter(|id| self.thread(id).is_none()) else { return };
        let mut agent = self.object.get("agent").cloned().map(object).unwrap_or_default();
        agent.insert("name".into(), text(event, "agent_name").into());
        let parent = self.primary().map(|primary| primary.id().to_owned());
        self.threads.push(Thread::new(id, self.id(), parent.as_deref(), agent, at));
    }

    fn record_thread_status(&mut self, thread: Option<&str>, status: &str, at: DateTime<Utc>) {
        if let Some(thread) = thread.and_then(|id| self.thread_mut(id)) {
            thread.set("status", status, at);
        }
    }

    fn record_tool_use(&mut self, id: String, tool_use: ToolUse, thread: Option<String>) {
        self.open.insert(id, (tool_use, thread));
    }

    fn record_answer(&mut self, tool_use: &str) {
        self.open.remove(tool_use);
        self.blocking.retain(|id| id != tool_use);
        self.answered.insert(tool_use.to_owned());
    }

    /// One entry per outcome; an iteration that needs revision leaves it open.
    fn record_outcome(&mut self, event: &Object, at: DateTime<Utc>) {
        let Some(Value::Array(entries)) = self.object.get_mut("outcome_evaluations") else { return };
        let id = event.get("outcome_id").cloned().unwrap_or(Value::Null);
        let result = match text(event, "result") {
            "" => "pending",
            "needs_revision" => "running",
            verdict => verdict,
        };
        let open = matches!(result, "pending" | "running");
        let mut entry = object(serde_json::json!({
            "type": "outcome_evaluation", "outcome_id": id, "iteration": event.get("iteration").cloned().unwrap_or(0.into()),
            "result": result, "explanation": event.get("explanation"),
            "completed_at": if open { Value::Null } else { clock::millis(at).into() },
        }));
        if let Some(known) = entries.iter_mut().find(|known| known.get("outcome_id") == Some(&id)) {
            entry.insert("description".into(), known.get("description").cloned().unwrap_or_default());
            *known = Value::Object(entry);
        } else {
            entry.insert("description".into(), text(event, "description").into());
            entries.push(Value::Object(entry));
        }
        self.object.insert("updated_at".into(), clock::millis(at).into());
    }
}
