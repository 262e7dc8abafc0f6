//! Runs of deployments: append-only records that say whether a session came of it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    clock,
    world::{
        World,
        catalog::{
            Kind,
            listing::ListRules,
            rules::{Calls, Rules, as_given},
            schedule,
        },
        refusal::Refusal,
        stamp::{Notice, Object, object, text},
    },
};

pub(super) const RULES: Rules = Rules {
    name: "deployment_run",
    prefix: "drun",
    path: "/deployment_runs",
    parent: None,
    members: &[],
    initial: r#"{"session_id":null,"error":null,"trigger_context":{"type":"manual"}}"#,
    normalize: as_given,
    calls: Calls::Read,
    announces_updates: false,
    list: ListRules {
        max_limit: 1000,
        filters: &["deployment_id", "has_error", "trigger_type", "created_at"],
    },
};

/// Runs that failed because of a limit leave their deployment as it is; all other failures pause it.
const DOES_NOT_PAUSE: &str = "session_rate_limited_error";

/// Why a run happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    Schedule,
    Manual,
}

impl World {
    /// The run call: a record without webhooks of its own; those of the session are sent as ever.
    pub(crate) fn run_by_hand(
        &mut self,
        deployment: &str,
        now: DateTime<Utc>,
    ) -> Result<(Value, Vec<Notice>), Refusal> {
        if self.catalog.get(Kind::Deployment, deployment)?.is_archived() {
            return Err(Refusal::invalid("an archived deployment cannot run"));
        }
        let run = self.begin_run(deployment, Trigger::Manual, now)?;
        let notices = match self.obstacle(deployment) {
            Some(error) => {
                self.fail_run(&run, error)?;
                Vec::new()
            }
            None => self.complete_run(&run, now)?,
        };
        Ok((self.catalog.get(Kind::DeploymentRun, &run)?.to_value(), notices))
    }

    /// Writes the record down, with neither a session nor an error yet. Answers its id.
    pub(super) fn begin_run(
        &mut self,
        deployment: &str,
        trigger: Trigger,
        now: DateTime<Utc>,
    ) -> Result<String, Refusal> {
        let found = self.catalog.get(Kind::Deployment, deployment)?;
        let context = match trigger {
            Trigger::Schedule => {
                schedule::ran(&mut found.object, now);
                json!({ "type": "schedule", "scheduled_at": clock::seconds(now) })
            }
            Trigger::Manual => json!({ "type": "manual" }),
        };
        let agent = found.object.get("agent").cloned().unwrap_or_default();
        let members = json!({ "deployment_id": deployment, "agent": agent, "trigger_context": context,
            "session_id": null, "error": null });
        let id = self.ids.resource(RULES.prefix);
        self.place(Kind::DeploymentRun, &id, object(members), now);
        Ok(id)
    }

    /// Makes the session of a run and starts it with the deployment's events.
    pub(super) fn complete_run(&mut self, run: &str, now: DateTime<Utc>) -> Result<Vec<Notice>, Refusal> {
        let deployment = self.catalog.get(Kind::DeploymentRun, run)?.text("deployment_id").to_owned();
        let deployment = self.catalog.get(Kind::Deployment, &deployment)?.object.clone();
        let given: Object = ["agent", "environment_id", "initial_events", "resources", "vault_ids", "budget"]
            .into_iter()
            .filter_map(|member| Some((member.to_owned(), deployment.get(member)?.clone())))
            .chain([
                ("deployment_id".to_owned(), text(&deployment, "id").into()),
                ("title".to_owned(), text(&deployment, "name").into()),
            ])
            .collect();
        let (session, notices) = self.create(given, now)?;
        let session = session.get("id").cloned().unwrap_or_default();
        self.catalog.get(Kind::DeploymentRun, run)?.object.insert("session_id".into(), session);
        Ok(notices)
    }

    /// Notes why there is no session.
    pub(super) fn fail_run(&mut self, run: &str, error: &str) -> Result<(), Refusal> {
        let found = self.catalog.get(Kind::DeploymentRun, run)?;
        let said = error.trim_end_matches("_error").replace('_', " ");
        let error = json!({ "type": error, "message": format!("Simulated: {said}.") });
        found.object.insert("error".into(), error);
        Ok(())
    }

    /// One run of the schedule as far as `until`: begun, or ended well or badly.
    pub(super) fn run_by_schedule(
        &mut self,
        deployment: &str,
        until: Until<'_>,
        now: DateTime<Utc>,
    ) -> Result<(String, Vec<Notice>), Refusal> {
        let run = self.begin_run(deployment, Trigger::Schedule, now)?;
        let mut notices = vec![Notice::about("deployment_run.started", &run, now)];
        let error = match until {
            Until::Started => return Ok((run, notices)),
            Until::Failed(error) => Some(error),
            Until::Succeeded => self.obstacle(deployment),
        };
        notices.extend(self.end_run(&run, error, now)?);
        Ok((run, notices))
    }

    /// Ends a run that has only begun; most failures pause its deployment.
    pub(super) fn end_run(
        &mut self,
        run: &str,
        error: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Notice>, Refusal> {
        let found = self.catalog.get(Kind::DeploymentRun, run)?;
        let open = |member: &str| found.object.get(member).is_none_or(Value::is_null);
        if !open("error") || !open("session_id") {
            return Err(Refusal::invalid("the run has ended"));
        }
        if let Some(error) = error {
            let deployment = found.text("deployment_id").to_owned();
            self.fail_run(run, error)?;
            let mut notices = vec![Notice::about("deployment_run.failed", run, now)];
            if error != DOES_NOT_PAUSE {
                let reason = json!({ "type": "error", "error": { "type": error } });
                notices.extend(self.pause(&deployment, &reason, now)?);
            }
            return Ok(notices);
        }
        let of_session = self.complete_run(run, now)?;
        let mut notices = vec![Notice::about("deployment_run.succeeded", run, now)];
        notices.extend(of_session);
        Ok(notices)
    }

    /// What keeps a deployment from making a session.
    fn obstacle(&self, deployment: &str) -> Option<&'static str> {
        let deployment = self.catalog.find(Kind::Deployment, deployment)?;
        let archived =
            |kind: Kind, id: &str| self.catalog.find(kind, id).is_some_and(super::Resource::is_archived);
        let agent = deployment.object.get("agent").and_then(|agent| agent.get("id")).and_then(Value::as_str);
        let mut vaults = deployment.object.get("vault_ids").and_then(Value::as_array).into_iter().flatten();
        if agent.is_some_and(|id| archived(Kind::Agent, id)) {
            Some("agent_archived_error")
        } else if archived(Kind::Environment, deployment.text("environment_id")) {
            Some("environment_archived_error")
        } else if vaults.any(|id| id.as_str().is_some_and(|id| archived(Kind::Vault, id))) {
            Some("vault_archived_error")
        } else {
            None
        }
    }
}

/// How far a scheduled run goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until<'a> {
    Started,
    Succeeded,
    /// With this type of error.
    Failed(&'a str),
}
