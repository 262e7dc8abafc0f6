//! Deployments: agents that run on a schedule or on request.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::world::{
    World,
    catalog::{
        Kind,
        listing::ListRules,
        rules::{Calls, METADATA, Rules, Shape, or, required},
        schedule,
    },
    refusal::Refusal,
    stamp::{Notice, Object},
};

pub(super) const RULES: Rules = Rules {
    name: "deployment",
    prefix: "depl",
    path: "/deployments",
    parent: None,
    members: &[
        required("name", Shape::Text),
        required("agent", Shape::Object),
        required("environment_id", Shape::Text),
        required("initial_events", Shape::List),
        or("description", Shape::TextOrNull, "null"),
        or("budget", Shape::ObjectOrNull, "null"),
        or("resources", Shape::List, "[]"),
        or("vault_ids", Shape::List, "[]"),
        or("schedule", Shape::ObjectOrNull, "null"),
        METADATA,
    ],
    initial: r#"{"status":"active","paused_reason":null}"#,
    normalize: refer_and_schedule,
    // Deployments are deleted by the platform only.
    calls: Calls::Write,
    announces_updates: true,
    list: ListRules {
        max_limit: 100,
        filters: &["agent_id", "status", "include_archived", "created_at[gte]", "created_at[lte]"],
    },
};

fn refer_and_schedule(given: &mut Object) -> Result<(), Refusal> {
    if let Some(agent) = given.get_mut("agent")
        && let Some(id) = agent.as_str()
    {
        *agent = json!({ "id": id });
    }
    if let Some(Value::Object(schedule)) = given.get_mut("schedule") {
        schedule::check(schedule)?;
        schedule.retain(|name, _| ["type", "expression", "timezone"].contains(&name.as_str()));
    }
    Ok(())
}

impl World {
    /// Stops the schedule; doing it again is silent.
    pub(crate) fn pause(
        &mut self,
        id: &str,
        reason: &Value,
        now: DateTime<Utc>,
    ) -> Result<Vec<Notice>, Refusal> {
        let deployment = self.catalog.get(Kind::Deployment, id)?;
        if deployment.is_archived() {
            return Err(Refusal::invalid("an archived deployment cannot be paused"));
        }
        if deployment.text("status") == "paused" {
            return Ok(Vec::new());
        }
        deployment.set("status", "paused", now);
        deployment.set("paused_reason", reason.clone(), now);
        Ok(vec![Notice::about("deployment.paused", id, now)])
    }

    /// Lets the schedule go on; doing it again is silent.
    pub(crate) fn unpause(&mut self, id: &str, now: DateTime<Utc>) -> Result<Vec<Notice>, Refusal> {
        let deployment = self.catalog.get(Kind::Deployment, id)?;
        if deployment.is_archived() {
            return Err(Refusal::invalid("an archived deployment cannot be unpaused"));
        }
        if deployment.text("status") != "paused" {
            return Ok(Vec::new());
        }
        deployment.set("status", "active", now);
        deployment.set("paused_reason", Value::Null, now);
        Ok(vec![Notice::about("deployment.unpaused", id, now)])
    }
}

/// Why a person's call paused it.
pub(crate) fn by_hand() -> Value {
    json!({ "type": "manual" })
}
