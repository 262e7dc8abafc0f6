//! Sessions: what we understand of them.

use crate::Defect;
use crate::fetched::FromObject;
use crate::object::Object;
use crate::open_enum::open_enum;
use chrono::{DateTime, Utc};
use serde_json::Value;

open_enum! {
    /// What a session or one of its threads is doing.
    Status {
        /// Waiting for input; also the state of finished work. Why it waits is told by events only.
        Idle = "idle",
        /// At work. A session is running while any of its threads is.
        Running = "running",
        /// Waiting for the platform's own retry after a transient error.
        Rescheduling = "rescheduling",
        /// Over: by an unrecoverable error, or archived.
        Terminated = "terminated",
    }
}

/// A session of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `sesn_…`, opaque.
    pub id: String,
    /// What it is doing.
    pub status: Status,
    /// What a person called it.
    pub title: Option<String>,
    /// The agent as it was when the session took it over.
    pub agent: AgentRef,
    /// Where it runs.
    pub environment_id: Option<String>,
    /// The deployment that created it, if one did.
    pub deployment_id: Option<String>,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed; orders two snapshots of the same session.
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was archived, if it was.
    pub archived_at: Option<DateTime<Utc>>,
}

/// Which agent works in a session or thread. All absent for kinds of agents that have no identity, such as advisors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentRef {
    /// `agent_…`, opaque.
    pub id: Option<String>,
    /// What a person called it.
    pub name: Option<String>,
    /// Its version, counted from 1.
    pub version: Option<i64>,
}

impl AgentRef {
    pub(crate) fn of(object: &Object) -> Self {
        let member = |name| object.0.get("agent")?.get(name);
        Self {
            id: member("id").and_then(Value::as_str).map(str::to_owned),
            name: member("name").and_then(Value::as_str).map(str::to_owned),
            version: member("version").and_then(Value::as_i64),
        }
    }
}

impl FromObject for Session {
    fn from_object(object: Object) -> Result<Self, Defect> {
        Ok(Self {
            id: object.required_text("id")?,
            status: Status::from(object.required_text("status")?.as_str()),
            title: object.owned_text("title"),
            agent: AgentRef::of(&object),
            environment_id: object.owned_text("environment_id"),
            deployment_id: object.owned_text("deployment_id"),
            created_at: object.time("created_at")?,
            updated_at: object.time("updated_at")?,
            archived_at: object.time("archived_at")?,
        })
    }
}
