//! Threads of a session: one per agent at work in it.

use crate::fetched::FromObject;
use crate::object::Object;
use crate::{AgentRef, Defect, Status};
use chrono::{DateTime, Utc};

/// A thread of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionThread {
    /// `sthr_…`, opaque.
    pub id: String,
    /// What it is doing.
    pub status: Status,
    /// The session it belongs to.
    pub session_id: Option<String>,
    /// The thread that opened it; `None` for the primary thread.
    pub parent_thread_id: Option<String>,
    /// Who works in it.
    pub agent: AgentRef,
    /// When it was opened.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was archived, if it was.
    pub archived_at: Option<DateTime<Utc>>,
}

impl FromObject for SessionThread {
    fn from_object(object: Object) -> Result<Self, Defect> {
        Ok(Self {
            id: object.required_text("id")?,
            status: Status::from(object.required_text("status")?.as_str()),
            session_id: object.owned_text("session_id"),
            parent_thread_id: object.owned_text("parent_thread_id"),
            agent: AgentRef::of(&object),
            created_at: object.time("created_at")?,
            updated_at: object.time("updated_at")?,
            archived_at: object.time("archived_at")?,
        })
    }
}
