//! Lists of sessions, events and threads: what is in them and in which order.

use chrono::DateTime;
use serde_json::Value;

use crate::world::{
    World,
    page::{Page, PageRequest, Position, page},
    refusal::Refusal,
    session::Session,
    stamp::{Object, text},
};

/// Filters of the session list; empty ones let everything through.
#[derive(Debug, Default)]
pub(crate) struct SessionFilter {
    pub(crate) statuses: Vec<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) agent_version: Option<u64>,
    pub(crate) deployment_id: Option<String>,
    pub(crate) memory_store_id: Option<String>,
    pub(crate) include_archived: bool,
}

impl SessionFilter {
    fn admits(&self, session: &Session) -> bool {
        let object = &session.object;
        let agent = |member: &str| object.get("agent").and_then(|agent| agent.get(member));
        let has_store = |wanted: &str| {
            let resources = object.get("resources").and_then(Value::as_array).into_iter().flatten();
            resources.filter_map(|resource| resource.get("memory_store_id")).any(|id| id == wanted)
        };
        (self.include_archived || !session.is_archived())
            && (self.statuses.is_empty() || self.statuses.iter().any(|status| status == session.status()))
            && self.agent_id.as_deref().is_none_or(|id| agent("id").is_some_and(|found| found == id))
            && self.agent_version.is_none_or(|version| agent("version").is_some_and(|found| found == version))
            && self.deployment_id.as_deref().is_none_or(|id| text(object, "deployment_id") == id)
            && self.memory_store_id.as_deref().is_none_or(has_store)
    }
}

impl World {
    pub(crate) fn list_sessions(
        &self,
        filter: &SessionFilter,
        request: &PageRequest,
    ) -> Result<Page<Value>, Refusal> {
        let admitted = self.sessions.values().filter(|session| filter.admits(session));
        let items = admitted.map(|session| {
            let at = milliseconds(text(&session.object, "created_at")).unwrap_or_default();
            (Position { at, tie: session.id().to_owned() }, session)
        });
        let page = page(items.collect(), request)?;
        let items = page.items.into_iter().map(|session| Value::Object(session.object.clone())).collect();
        Ok(Page { items, next: page.next, prev: page.prev })
    }
}

impl Session {
    /// The session's own view, or one thread's; queued events have no time yet and come last.
    pub(crate) fn list_events(
        &self,
        thread: Option<&str>,
        types: &[String],
        request: &PageRequest,
    ) -> Result<Page<Value>, Refusal> {
        let events = self.events.iter().enumerate();
        let wanted = events.filter(|(_, event)| {
            thread.is_none_or(|thread| self.belongs(event, thread))
                && (types.is_empty() || types.iter().any(|kind| kind == text(event, "type")))
        });
        let items = wanted.map(|(index, event)| {
            let at = milliseconds(text(event, "processed_at")).unwrap_or(i64::MAX);
            (Position { at, tie: format!("{index:012}") }, Value::Object(Object::clone(event)))
        });
        page(items.collect(), request)
    }

    /// Primary first, then in the order in which they were opened.
    pub(crate) fn list_threads(
        &self,
        statuses: &[String],
        request: &PageRequest,
    ) -> Result<Page<Value>, Refusal> {
        let threads = self.threads.iter().enumerate();
        let wanted = threads.filter(|(_, thread)| {
            statuses.is_empty() || statuses.iter().any(|status| status == thread.status())
        });
        let items =
            wanted.map(|(index, thread)| (Position { at: 0, tie: format!("{index:06}") }, thread.to_value()));
        page(items.collect(), request)
    }

    /// Events without a thread are the primary thread's.
    fn belongs(&self, event: &Object, thread: &str) -> bool {
        match event.get("session_thread_id").and_then(Value::as_str) {
            Some(owner) => owner == thread,
            None => self.primary().is_some_and(|primary| primary.id() == thread),
        }
    }
}

/// Milliseconds since the epoch of an RFC 3339 time.
pub(crate) fn milliseconds(time: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_millis())
}
