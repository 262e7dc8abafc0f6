//! The simulated workspace: a state machine without HTTP, clock or dice.
//!
//! Sessions have a life of their own, in the files here; every other resource is in `catalog`, where a new kind is a
//! file with its rules.

mod catalog;
mod child;
mod ids;
mod inbox;
mod lag;
mod lifecycle;
mod listing;
mod page;
mod record;
mod refusal;
mod scenario;
mod script;
mod session;
mod stamp;
mod stop_reason;
mod thread;
mod truth;
mod update;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub(crate) use self::{
    catalog::{Calls, DEFAULT_LIMIT, Filter, Kind, Wish, by_hand},
    ids::Ids,
    listing::SessionFilter,
    page::{Order, Page, PageRequest, Range},
    refusal::Refusal,
    scenario::{Scenario, ToolRequest},
    script::{Performed, Script, Stage},
    session::Session,
    stamp::{Notice, Object, Stamp, object, text},
    thread::Thread,
};

use self::{
    catalog::{Catalog, Resource},
    truth::Refused,
};

/// Everything in the workspace.
#[derive(Debug)]
pub(crate) struct World {
    sessions: BTreeMap<String, Session>,
    /// Deleted sessions, as they were last.
    graves: BTreeMap<String, Session>,
    catalog: Catalog,
    replies: Refused,
    ids: Ids,
    created_webhooks: bool,
}

impl World {
    pub(crate) fn new(seed: u64, created_webhooks: bool) -> Self {
        Self {
            sessions: BTreeMap::new(),
            graves: BTreeMap::new(),
            catalog: Catalog::default(),
            replies: Refused::default(),
            ids: Ids::new(seed),
            created_webhooks,
        }
    }

    pub(crate) fn ids(&mut self) -> &mut Ids {
        &mut self.ids
    }

    pub(crate) fn session_count(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn session(&mut self, id: &str) -> Result<&mut Session, Refusal> {
        self.sessions.get_mut(id).ok_or(Refusal::NotFound { what: "session" })
    }

    /// Changes a session, all or nothing: a refused change leaves no trace.
    pub(crate) fn change<T>(
        &mut self,
        id: &str,
        now: DateTime<Utc>,
        change: impl FnOnce(&mut Session, &mut Stamp<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut session = self.session(id)?.clone();
        let done = change(&mut session, &mut Stamp { ids: &mut self.ids, now })?;
        self.sessions.insert(id.to_owned(), session);
        Ok(done)
    }

    /// Puts a session in place, new or instead of the one with this id; `None` makes an id.
    pub(crate) fn put(&mut self, id: Option<&str>, given: Object, now: DateTime<Utc>) -> &mut Session {
        let id = id.map_or_else(|| self.ids.resource("sesn"), str::to_owned);
        let session = Session::new(&id, given, &mut Stamp { ids: &mut self.ids, now });
        self.graves.remove(&id);
        let entry = self.sessions.entry(id);
        entry.insert_entry(session).into_mut()
    }

    /// The create call.
    pub(crate) fn create(
        &mut self,
        mut given: Object,
        now: DateTime<Utc>,
    ) -> Result<(Value, Vec<Notice>), Refusal> {
        let agent = self.agent_snapshot(given.get("agent").unwrap_or(&Value::Null))?;
        let environment = text(&given, "environment_id");
        if environment.is_empty() {
            return Err(Refusal::invalid("environment_id: required"));
        }
        if self.catalog.find(Kind::Environment, environment).is_some_and(Resource::is_archived) {
            return Err(Refusal::coded("environment_archived", "the environment is archived"));
        }
        let first = match given.remove("initial_events") {
            Some(Value::Array(events)) => events.into_iter().map(object).collect(),
            _ => Vec::new(),
        };
        let chosen =
            ["environment_id", "title", "metadata", "resources", "vault_ids", "budget", "deployment_id"];
        given.retain(|name, _| chosen.contains(&name.as_str()));
        given.insert("agent".into(), agent);
        let id = self.put(None, given, now).id().to_owned();
        let created = self.created_webhooks;
        let started = self.change(&id, now, |session, stamp| {
            let mut notices = Vec::new();
            if created {
                notices.push(session.notice("session.created", stamp));
            }
            if !first.is_empty() {
                notices.extend(session.receive(&first, stamp)?.1);
            }
            Ok((Value::Object(session.object.clone()), notices))
        });
        if started.is_err() {
            self.sessions.remove(&id);
        }
        started
    }

    /// The delete call: the session and its events are gone at once.
    pub(crate) fn delete(&mut self, id: &str, now: DateTime<Utc>) -> Result<Vec<Notice>, Refusal> {
        let notice = self.change(id, now, |session, stamp| {
            session.refuse_running("deleted")?;
            Ok(session.notice("session.deleted", stamp))
        })?;
        if let Some(session) = self.sessions.remove(id) {
            self.graves.insert(id.to_owned(), session);
        }
        Ok(vec![notice])
    }
}

#[cfg(test)]
mod tests;
