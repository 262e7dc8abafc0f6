//! The calls that all kinds have in common, and what they do to the things that depend on theirs.

use serde_json::{Value, json};

use crate::world::{
    World,
    catalog::{Kind, Resource, credential::PER_VAULT, happening::sample, rules::Calls, schedule},
    refusal::Refusal,
    session::merge,
    stamp::{Notice, Object, object, text},
};

use chrono::{DateTime, Utc};

/// What a call leaves: the object to answer, and what is to be announced.
pub(crate) type Done = (Value, Vec<Notice>);

impl World {
    /// The create call. `parent` is the id in the path, for kinds that have one.
    pub(crate) fn create_resource(
        &mut self,
        kind: Kind,
        parent: Option<&str>,
        given: Object,
        now: DateTime<Utc>,
    ) -> Result<Done, Refusal> {
        let rules = kind.rules();
        if rules.calls == Calls::Read {
            return Err(Refusal::NotFound { what: "call" });
        }
        let mut object = rules.complete(given)?;
        if let (Some(owner), Some(id)) = (rules.parent, parent) {
            self.admit_to(owner, id)?;
            object.insert(format!("{}_id", owner.rules().name), id.into());
        }
        if kind == Kind::Deployment {
            let reference = self.agent_reference(object.get("agent").unwrap_or(&Value::Null))?;
            object.insert("agent".into(), reference);
        }
        let id = self.ids.resource(rules.prefix);
        let notice = self.place(kind, &id, object, now);
        let shown = self.catalog.get(kind, &id)?.to_value();
        Ok((shown, vec![notice]))
    }

    /// Puts an object in place with its common members.
    pub(crate) fn place(&mut self, kind: Kind, id: &str, members: Object, now: DateTime<Utc>) -> Notice {
        let time = crate::clock::millis(now);
        let mut object = object(json!({
            "id": id, "type": kind.rules().name, "created_at": time, "updated_at": time, "archived_at": null,
        }));
        if kind == Kind::DeploymentRun {
            // Runs are written once.
            object.retain(|name, _| name != "updated_at" && name != "archived_at");
        }
        object.extend(members);
        schedule::refresh(&mut object, now);
        let resource = Resource::new(object);
        let notice = resource.notice("created", now);
        self.catalog.put(kind, resource);
        notice
    }

    /// Puts a resource in place without asking anybody: the given members over those of a plausible one.
    pub(crate) fn put_resource(&mut self, kind: Kind, id: &str, given: Object, now: DateTime<Utc>) -> Value {
        let mut members = kind.rules().complete(sample(kind)).unwrap_or_default();
        merge(&mut members, given);
        members.insert("id".into(), id.into());
        self.place(kind, id, members, now);
        self.catalog.find(kind, id).map(Resource::to_value).unwrap_or_default()
    }

    /// The update call; silent when nothing changes, and for kinds whose updates are not announced.
    pub(crate) fn update_resource(
        &mut self,
        kind: Kind,
        id: &str,
        mut given: Object,
        now: DateTime<Utc>,
    ) -> Result<Done, Refusal> {
        let rules = kind.rules();
        if let Some(agent) = given.get("agent").filter(|_| kind == Kind::Deployment) {
            let reference = self.agent_reference(agent)?;
            given.insert("agent".into(), reference);
        }
        let found = self.catalog.get(kind, id)?;
        if found.is_archived() {
            return Err(match kind {
                Kind::Environment => Refusal::coded("environment_archived", "the environment is archived"),
                Kind::Agent
                | Kind::Vault
                | Kind::Credential
                | Kind::Deployment
                | Kind::DeploymentRun
                | Kind::MemoryStore => {
                    Refusal::invalid(format!("an archived {} cannot be updated", rules.name))
                }
            });
        }
        let expected = given.get("version").and_then(Value::as_u64).filter(|_| kind == Kind::Agent);
        if expected.is_some_and(|expected| expected != found.version()) {
            return Err(Refusal::conflict("version: the agent has another version by now"));
        }
        let changes = rules.changes(&found.object, given)?;
        if changes.is_empty() {
            return Ok((found.to_value(), Vec::new()));
        }
        if kind == Kind::Agent {
            found.begin_version();
        }
        found.object.extend(changes);
        found.touch(now);
        schedule::refresh(&mut found.object, now);
        let notice = rules.announces_updates.then(|| found.notice("updated", now));
        Ok((found.to_value(), notice.into_iter().collect()))
    }

    /// The archive call, with everything that depends on the resource; doing it again is silent.
    pub(crate) fn archive_resource(
        &mut self,
        kind: Kind,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Done, Refusal> {
        let found = self.catalog.get(kind, id)?;
        let mut notices = Vec::new();
        if !found.is_archived() {
            found.set("archived_at", crate::clock::millis(now), now);
            schedule::refresh(&mut found.object, now);
            notices.push(found.notice("archived", now));
            for (kind, id) in self.dependents(kind, id) {
                notices.extend(self.archive_resource(kind, &id, now)?.1);
            }
        }
        Ok((self.catalog.get(kind, id)?.to_value(), notices))
    }

    /// The delete call, or the platform's own deletion of what has none. The credentials of a vault go with it.
    pub(crate) fn delete_resource(
        &mut self,
        kind: Kind,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Notice>, Refusal> {
        if kind == Kind::Environment {
            self.catalog.get(kind, id)?;
            self.refuse_used_environment(id)?;
        }
        let found = self.catalog.get(kind, id)?;
        found.delete(now);
        let mut notices = vec![found.notice("deleted", now)];
        if kind == Kind::Vault {
            for (kind, id) in self.dependents(kind, id) {
                notices.extend(self.delete_resource(kind, &id, now)?);
            }
        }
        Ok(notices)
    }

    /// What a fetch of a resource sees.
    pub(crate) fn read_resource(&mut self, kind: Kind, id: &str) -> Result<Value, Refusal> {
        Ok(self.catalog.get(kind, id)?.read())
    }

    /// Refuses a resource that is below another parent.
    pub(crate) fn belongs_to(&mut self, kind: Kind, id: &str, parent: &str) -> Result<(), Refusal> {
        let found = self.catalog.get(kind, id)?;
        let own = kind
            .rules()
            .parent
            .is_some_and(|owner| text(&found.object, &format!("{}_id", owner.rules().name)) == parent);
        if own { Ok(()) } else { Err(Refusal::NotFound { what: kind.rules().name }) }
    }

    /// What is archived with a resource.
    fn dependents(&self, kind: Kind, id: &str) -> Vec<(Kind, String)> {
        let (dependent, ids) = match kind {
            Kind::Vault => {
                let inside = |item: &Resource| item.text("vault_id") == id;
                (Kind::Credential, self.catalog.ids_where(Kind::Credential, inside))
            }
            Kind::Agent => {
                let runs_it = |item: &Resource| {
                    item.object
                        .get("agent")
                        .and_then(Value::as_object)
                        .is_some_and(|agent| text(agent, "id") == id)
                };
                (Kind::Deployment, self.catalog.ids_where(Kind::Deployment, runs_it))
            }
            Kind::Credential
            | Kind::Deployment
            | Kind::DeploymentRun
            | Kind::Environment
            | Kind::MemoryStore => return Vec::new(),
        };
        ids.into_iter().map(|id| (dependent, id)).collect()
    }

    /// Whether something can be put into a vault.
    fn admit_to(&mut self, owner: Kind, id: &str) -> Result<(), Refusal> {
        if self.catalog.get(owner, id)?.is_archived() {
            return Err(Refusal::invalid(format!("the {} is archived", owner.rules().name)));
        }
        let inside = self
            .catalog
            .ids_where(Kind::Credential, |item| item.text("vault_id") == id && !item.is_archived());
        if inside.len() >= PER_VAULT {
            return Err(Refusal::invalid(format!("a vault holds at most {PER_VAULT} credentials")));
        }
        Ok(())
    }
}

impl Resource {
    /// What is said about the resource; a credential's notices name its vault.
    pub(crate) fn notice(&self, verb: &str, at: DateTime<Utc>) -> Notice {
        let mut notice = Notice::about(format!("{}.{verb}", self.text("type")), self.id(), at);
        if let Some(vault) = self.object.get("vault_id") {
            notice.data.insert("vault_id".into(), vault.clone());
        }
        notice
    }
}
