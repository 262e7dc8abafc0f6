//! Agents. An update that changes something makes a new version; the earlier ones stay readable.

use serde_json::{Value, json};

use crate::world::{
    World,
    catalog::{
        Kind, Resource,
        listing::ListRules,
        rules::{Calls, METADATA, Member, Presence, Rules, Shape, or, required},
    },
    page::{Page, PageRequest, Position, page},
    refusal::Refusal,
    stamp::Object,
};

pub(super) const RULES: Rules = Rules {
    name: "agent",
    prefix: "agent",
    path: "/agents",
    parent: None,
    members: &[
        required("name", Shape::Text),
        required("model", Shape::Object),
        or("description", Shape::TextOrNull, "null"),
        or("system", Shape::TextOrNull, "null"),
        or("tools", Shape::List, "[]"),
        or("mcp_servers", Shape::List, "[]"),
        or("skills", Shape::List, "[]"),
        or("multiagent", Shape::ObjectOrNull, "null"),
        or("execution_identity", Shape::ObjectOrNull, r#"{"type":"service_account"}"#),
        METADATA,
        Member { name: "version", shape: Shape::Number, presence: Presence::Transient },
    ],
    initial: r#"{"version":1}"#,
    normalize: write_model_out,
    // Agents are deleted by the platform only.
    calls: Calls::Write,
    announces_updates: true,
    list: ListRules { max_limit: 100, filters: &["include_archived", "created_at[gte]", "created_at[lte]"] },
};

/// A model may be given by its name alone.
fn write_model_out(given: &mut Object) -> Result<(), Refusal> {
    if let Some(model) = given.get_mut("model")
        && let Some(name) = model.as_str()
    {
        if name.is_empty() {
            return Err(Refusal::invalid("model: required"));
        }
        *model = json!({ "id": name, "effort": { "type": "high" }, "speed": "standard" });
    }
    Ok(())
}

impl Resource {
    pub(super) fn version(&self) -> u64 {
        self.object.get("version").and_then(Value::as_u64).unwrap_or(1)
    }

    /// Keeps the version as it is and counts the next one.
    pub(super) fn begin_version(&mut self) {
        let next = self.version() + 1;
        self.versions.push(self.object.clone());
        self.object.insert("version".into(), next.into());
    }
}

impl World {
    /// An agent as it was in some version; none for the current one.
    pub(crate) fn agent(&mut self, id: &str, version: Option<u64>) -> Result<Value, Refusal> {
        let agent = self.catalog.get(Kind::Agent, id)?;
        let Some(wanted) = version.filter(|wanted| *wanted != agent.version()) else {
            return Ok(agent.read());
        };
        let mut earlier = agent.versions.iter();
        let found = earlier.find(|object| object.get("version").and_then(Value::as_u64) == Some(wanted));
        found.cloned().map(Value::Object).ok_or(Refusal::NotFound { what: "agent version" })
    }

    /// All versions, the newest first.
    pub(crate) fn agent_versions(&mut self, id: &str, request: &PageRequest) -> Result<Page<Value>, Refusal> {
        let agent = self.catalog.get(Kind::Agent, id)?;
        let all = agent.versions.iter().chain([&agent.object]).enumerate();
        let items = all.map(|(index, object)| {
            (Position { at: 0, tie: format!("{index:06}") }, Value::Object(object.clone()))
        });
        page(items.collect(), request)
    }

    /// What a session knows of its agent: everything about a known one, what was given about another.
    pub(in crate::world) fn agent_snapshot(&self, given: &Value) -> Result<Value, Refusal> {
        let mut reference = self.agent_reference(given)?;
        let id = reference.get("id").and_then(Value::as_str).unwrap_or_default();
        let wanted = reference.get("version").and_then(Value::as_u64);
        let Some(agent) = self.catalog.find(Kind::Agent, id) else {
            if let (Some(reference), Value::Object(given)) = (reference.as_object_mut(), given) {
                reference.extend(given.clone());
            }
            return Ok(reference);
        };
        let versions = agent.versions.iter().chain([&agent.object]);
        let found = versions.rev().find(|object| object.get("version").and_then(Value::as_u64) == wanted);
        let mut snapshot =
            found.cloned().ok_or_else(|| Refusal::invalid("agent.version: no such version"))?;
        snapshot.retain(|name, _| {
            !matches!(name.as_str(), "metadata" | "created_at" | "updated_at" | "archived_at")
        });
        Ok(Value::Object(snapshot))
    }

    /// How others refer to an agent: by id alone, or by id and version. Unknown ones are taken on trust, so that a
    /// test of something else needs no agent.
    pub(super) fn agent_reference(&self, given: &Value) -> Result<Value, Refusal> {
        let id = given.as_str().or(given.get("id").and_then(Value::as_str)).unwrap_or_default();
        let version = given.get("version").cloned();
        if id.is_empty() {
            return Err(Refusal::invalid("agent: an agent id or reference is required"));
        }
        let known = self.catalog.find(Kind::Agent, id);
        if known.is_some_and(Resource::is_archived) {
            return Err(Refusal::invalid("agent: the agent is archived"));
        }
        let version = version.filter(|version| !version.is_null());
        let version = version.unwrap_or_else(|| known.map_or(1, Resource::version).into());
        Ok(json!({ "type": "agent", "id": id, "version": version }))
    }
}
