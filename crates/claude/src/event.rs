//! Events of a session's history. There are more than forty types and new ones every month, so an event is its JSON
//! with readers for the members that some decision rests on.

#[cfg(test)]
mod tests;

use crate::Defect;
use crate::fetched::FromObject;
use crate::object::Object;
use crate::open_enum::open_enum;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// An event of a session or thread. Not to be confused with a webhook event: this one is never delivered, only listed.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionEvent {
    /// `sevt_…`, opaque. Replies name it. Empty on some interrupts.
    pub id: String,
    /// The type, such as `session.status_idle`; `type` is a word of Rust.
    pub kind: String,
    /// When the platform took it up; `None` while it is queued.
    pub processed_at: Option<DateTime<Utc>>,
    members: Object,
}

open_enum! {
    /// Why a session stopped working.
    StopKind {
        /// The turn is finished, or was interrupted.
        EndTurn = "end_turn",
        /// Blocked until the named events are answered. The only kind that keeps the turn open.
        RequiresAction = "requires_action",
        /// Errors used up the platform's retries.
        RetriesExhausted = "retries_exhausted",
        /// Paused at its budget.
        BudgetReached = "budget_reached",
        /// The model declined.
        Refusal = "refusal",
    }
}

open_enum! {
    /// What the platform does after a `session.error`.
    RetryStatus {
        /// It tries again by itself.
        Retrying = "retrying",
        /// The turn is dead, the session goes idle.
        Exhausted = "exhausted",
        /// The session is terminated.
        Terminal = "terminal",
    }
}

open_enum! {
    /// What the agent's policy says about a tool call. Treat `Other` like `Ask`: nothing unknown is approved.
    Permission {
        /// Goes ahead without anybody.
        Allow = "allow",
        /// Waits for a person.
        Ask = "ask",
        /// Was refused by the platform.
        Deny = "deny",
    }
}

/// Why a session stopped working, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopReason {
    /// The kind of reason.
    pub kind: StopKind,
    /// The tool-use events that block the session; empty unless the kind is `requires_action`.
    pub event_ids: Vec<String>,
}

/// What went wrong inside a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionError {
    /// The platform's name for it, such as `model_overloaded_error`.
    pub kind: String,
    /// A sentence for people.
    pub message: Option<String>,
    /// What the platform does about it.
    pub retry_status: Option<RetryStatus>,
}

impl SessionEvent {
    /// Any member, by its name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.0.get(name)
    }

    /// Why the session or thread went idle.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        let reason = self.member("stop_reason")?;
        let ids = reason.get("event_ids").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Some(StopReason {
            kind: StopKind::from(reason.get("type")?.as_str()?),
            event_ids: ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    /// What a `session.error` reports.
    #[must_use]
    pub fn error(&self) -> Option<SessionError> {
        let error = self.member("error")?;
        Some(SessionError {
            kind: error.get("type")?.as_str()?.to_owned(),
            message: error.get("message").and_then(Value::as_str).map(str::to_owned),
            retry_status: error.pointer("/retry_status/type").and_then(Value::as_str).map(RetryStatus::from),
        })
    }

    /// The tool of a tool use.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.members.text("name")
    }

    /// The arguments of a tool use.
    #[must_use]
    pub fn input(&self) -> Option<&Value> {
        self.member("input")
    }

    /// What the policy said about a tool use. Custom tools have none.
    #[must_use]
    pub fn permission(&self) -> Option<Permission> {
        self.members.text("evaluated_permission").map(Permission::from)
    }

    /// The thread the event belongs to, where it is another than the listed one.
    #[must_use]
    pub fn session_thread_id(&self) -> Option<&str> {
        self.members.text("session_thread_id")
    }

    /// The tool use that this event answers: a confirmation or a result, of whichever kind.
    #[must_use]
    pub fn answers(&self) -> Option<&str> {
        ["custom_tool_use_id", "tool_use_id", "mcp_tool_use_id"]
            .into_iter()
            .find_map(|member| self.members.text(member))
    }
}

impl FromObject for SessionEvent {
    fn from_object(object: Object) -> Result<Self, Defect> {
        Ok(Self {
            id: object.required_text("id")?,
            kind: object.required_text("type")?,
            // No decision rests on it, and one odd time must not make a whole history unreadable.
            processed_at: object.readable_time("processed_at"),
            members: object,
        })
    }
}
