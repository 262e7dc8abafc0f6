//! Scenarios by name: what happens, and to whom.
//!
//! A scenario is called by its own name (`turn_end`), or by the webhook type that it leads to, with dots or underscores
//! (`vault.archived`, `vault_archived`).

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::world::{
    World,
    catalog::{Happening, Wish},
    refusal::Refusal,
    scenario::{Scenario, ToolRequest},
    stamp::{Notice, Object},
};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Something that happens to a session. The last webhook bears the given type instead of its usual one.
    Session(Scenario, Option<&'static str>),
    /// Something that happens to another resource.
    Resource(Happening),
    /// A webhook about something that has no API here.
    Word { kind: &'static str, prefix: &'static str, classic: bool },
}

/// Session scenarios by the type of their webhook.
const BY_TYPE: [(&str, Scenario); 12] = [
    ("session.created", Scenario::Created),
    ("session.updated", Scenario::Updated),
    ("session.deleted", Scenario::Deleted),
    ("session.status_run_started", Scenario::RunStarted),
    ("session.status_idled", Scenario::TurnEnd),
    ("session.status_rescheduled", Scenario::Error),
    ("session.status_terminated", Scenario::Terminated),
    ("session.budget_reached", Scenario::BudgetReached),
    ("session.outcome_evaluation_ended", Scenario::Outcome),
    ("session.thread_created", Scenario::ThreadCreated),
    ("session.thread_idled", Scenario::ThreadIdled),
    ("session.thread_terminated", Scenario::ThreadTerminated),
];

/// Types without a documented trigger, and those of the flat contract: their scenario is the counterpart's.
const BY_OTHER_TYPE: [(&str, Scenario); 9] = [
    ("session.pending", Scenario::Created),
    ("session.status_scheduled", Scenario::Created),
    ("session.running", Scenario::RunStarted),
    ("session.idled", Scenario::TurnEnd),
    ("session.requires_action", Scenario::RequiresAction),
    ("session.archived", Scenario::Archived),
    ("session.status_completed", Scenario::Archived),
    ("session.status_error", Scenario::RetriesExhausted),
    ("tool.result_pending", Scenario::RequiresAction),
];

/// Types about things that have no API here, with the prefix of the id and whether they are classic events.
const WORDS: [(&str, &str, bool); 7] = [
    ("external_key.failed", "ekey", false),
    ("external_key.recovered", "ekey", false),
    ("user_profile.enforcement_action_opened", "uprof", false),
    ("user_profile.enforcement_action_resolved", "uprof", false),
    ("user_profile.program_status_updated", "uprof", false),
    ("message.created", "msg", true),
    ("content_moderation.denied", "msg", true),
];

/// How a script is to be performed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stage<'a> {
    pub(crate) session: Option<&'a str>,
    pub(crate) tools: &'a [ToolRequest],
    pub(crate) wish: Wish<'a>,
    /// So many fetches still see the state from before.
    pub(crate) lag: u32,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) id: String,
    /// The API path of the object; none for what has no API.
    pub(crate) path: Option<String>,
    /// As it is now; null when it is gone.
    pub(crate) object: Value,
    pub(crate) notices: Vec<Notice>,
}

impl Script {
    /// What a name stands for, if anything.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if let Ok(scenario) = serde_json::from_value(Value::String(name.to_owned())) {
            return Some(Self::Session(scenario, None));
        }
        let name = name.replace('.', "_");
        let is = |kind: &str| kind.replace('.', "_") == name;
        let session = BY_TYPE.into_iter().find(|(kind, _)| is(kind));
        let other = BY_OTHER_TYPE.into_iter().find(|(kind, _)| is(kind));
        let word = WORDS.into_iter().find(|(kind, _, _)| is(kind));
        session
            .map(|(_, scenario)| Self::Session(scenario, None))
            .or(other.map(|(kind, scenario)| Self::Session(scenario, Some(kind))))
            .or(word.map(|(kind, prefix, classic)| Self::Word { kind, prefix, classic }))
            .or_else(|| Happening::named(&name).map(Self::Resource))
    }

    /// Whether its webhooks have the shape of classic events, whatever was asked for.
    pub(crate) fn is_classic(self) -> bool {
        matches!(self, Self::Word { classic: true, .. })
    }
}

impl World {
    /// Performs a script and answers the webhooks it causes, in their true order.
    pub(crate) fn perform(
        &mut self,
        script: Script,
        stage: Stage<'_>,
        now: DateTime<Utc>,
    ) -> Result<Performed, Refusal> {
        match script {
            Script::Session(scenario, says) => self.perform_session(scenario, says, stage, now),
            Script::Resource(happening) => {
                self.lag_behind(happening, stage.wish, stage.lag);
                let (object, notices) = self.happen(happening, stage.wish, now)?;
                let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                let path = self.path_of(&object);
                Ok(Performed { object: if path.is_some() { object } else { Value::Null }, id, path, notices })
            }
            Script::Word { kind, prefix, .. } => {
                let id = stage.wish.resource.map_or_else(|| self.ids.resource(prefix), str::to_owned);
                let mut notice = Notice::about(kind, &id, now);
                if kind.contains("enforcement_action") {
                    notice = notice.with("enforcement_action_id", &self.ids.resource("enac"));
                }
                Ok(Performed { id, path: None, object: Value::Null, notices: vec![notice] })
            }
        }
    }

    fn perform_session(
        &mut self,
        scenario: Scenario,
        says: Option<&str>,
        stage: Stage<'_>,
        now: DateTime<Utc>,
    ) -> Result<Performed, Refusal> {
        let id = if let Some(id) = stage.session.or(stage.wish.resource) {
            id.to_owned()
        } else {
            let members = stage.wish.members.cloned().unwrap_or_else(Object::new);
            self.put(None, members, now).id().to_owned()
        };
        self.session(&id)?.lag_behind(stage.lag);
        let mut notices = self.play(scenario, &id, stage.tools, now)?;
        if let (Some(says), Some(last)) = (says, notices.last_mut()) {
            says.clone_into(&mut last.kind);
        }
        let session = self.session(&id).ok().map(|session| Value::Object(session.object.clone()));
        let path = session.is_some().then(|| format!("/v1/sessions/{id}"));
        Ok(Performed { id, path, object: session.unwrap_or_default(), notices })
    }
}
