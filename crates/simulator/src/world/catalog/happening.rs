//! What the platform does to resources without being asked through the API.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::world::{
    World,
    catalog::{Kind, calls::Done, deployment::by_hand, deployment_run::Until},
    lag::Lag,
    refusal::Refusal,
    stamp::{Notice, Object, object, text},
};

/// One thing that can happen to one kind of resource, named `<kind>_<verb>` in scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Happening {
    kind: Kind,
    verb: Verb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Created,
    Updated,
    Archived,
    Deleted,
    Paused,
    Unpaused,
    RefreshFailed,
    Started,
    Succeeded,
    Failed,
}

/// Verbs by name. Which of them a kind knows is decided by [`World::happen`].
const VERBS: [(&str, Verb); 10] = [
    ("created", Verb::Created),
    ("updated", Verb::Updated),
    ("archived", Verb::Archived),
    ("deleted", Verb::Deleted),
    ("paused", Verb::Paused),
    ("unpaused", Verb::Unpaused),
    ("refresh_failed", Verb::RefreshFailed),
    ("started", Verb::Started),
    ("succeeded", Verb::Succeeded),
    ("failed", Verb::Failed),
];

/// How something is to happen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish<'a> {
    /// To which resource; a new one is made without it. For runs: of which deployment, or which run.
    pub(crate) resource: Option<&'a str>,
    /// Members of a new resource, or those that an update changes.
    pub(crate) members: Option<&'a Object>,
    /// Type of the error with which a run fails.
    pub(crate) error: Option<&'a str>,
}

impl Happening {
    /// By the name of its scenario.
    pub(crate) fn named(name: &str) -> Option<Self> {
        // The longest kind first: `deployment_run_failed` is about a run.
        let mut kinds = Kind::ALL;
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.rules().name.len()));
        kinds.into_iter().find_map(|kind| {
            let verb = name.strip_prefix(kind.rules().name)?.strip_prefix('_')?;
            let (_, verb) = VERBS.into_iter().find(|(known, _)| *known == verb)?;
            Some(Self { kind, verb })
        })
    }
}

impl World {
    /// Lets the next fetches of the resource in question see it as it is now.
    pub(crate) fn lag_behind(&mut self, what: Happening, wish: Wish<'_>, fetches: u32) {
        if let Some(found) = wish.resource.and_then(|id| self.catalog.get(what.kind, id).ok()) {
            found.lag = Lag::behind(&found.object, fetches);
        }
    }

    /// Where the API shows an object; none when it is gone.
    pub(crate) fn path_of(&self, object: &Value) -> Option<String> {
        let member = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = Kind::named(member("type"))?;
        self.catalog.find(kind, member("id"))?;
        let collection = kind.rules().path.replace("{vault_id}", member("vault_id"));
        Some(format!("/v1{collection}/{}", member("id")))
    }

    /// Lets it happen. Answers the object (as it was last, when it is gone) and the webhooks in their true order,
    /// those of a resource that had to be made first included.
    pub(crate) fn happen(
        &mut self,
        what: Happening,
        wish: Wish<'_>,
        now: DateTime<Utc>,
    ) -> Result<Done, Refusal> {
        let Happening { kind, verb } = what;
        if kind == Kind::DeploymentRun {
            return self.happen_to_run(verb, wish, now);
        }
        let (id, mut notices) = match wish.resource {
            Some(id) => (id.to_owned(), Vec::new()),
            None => self.make(kind, wish.members, now)?,
        };
        let made = wish.resource.is_none();
        let before = self.catalog.get(kind, &id)?.to_value();
        match verb {
            Verb::Created if made => {}
            Verb::Updated => {
                let changes = match wish.members {
                    Some(members) if !made => members.clone(),
                    _ => renamed(kind, now),
                };
                notices.extend(self.update_resource(kind, &id, changes, now)?.1);
            }
            Verb::Archived => notices.extend(self.archive_resource(kind, &id, now)?.1),
            Verb::Deleted => {
                notices.extend(self.delete_resource(kind, &id, now)?);
                return Ok((before, notices));
            }
            Verb::Paused if kind == Kind::Deployment => {
                let reason = wish
                    .error
                    .map_or_else(by_hand, |error| json!({ "type": "error", "error": { "type": error } }));
                notices.extend(self.pause(&id, &reason, now)?);
            }
            Verb::Unpaused if kind == Kind::Deployment => {
                if made {
                    notices.extend(self.pause(&id, &by_hand(), now)?);
                }
                notices.extend(self.unpause(&id, now)?);
            }
            Verb::RefreshFailed if kind == Kind::Credential => {
                self.fail_refresh(&id)?;
                notices.push(self.catalog.get(kind, &id)?.notice("refresh_failed", now));
            }
            Verb::Created
            | Verb::Paused
            | Verb::Unpaused
            | Verb::RefreshFailed
            | Verb::Started
            | Verb::Succeeded
            | Verb::Failed => {
                return Err(Refusal::invalid("that does not happen to this kind of resource"));
            }
        }
        Ok((self.catalog.get(kind, &id)?.to_value(), notices))
    }

    /// A scheduled run of a deployment, or the end of one that was started before.
    fn happen_to_run(&mut self, verb: Verb, wish: Wish<'_>, now: DateTime<Utc>) -> Result<Done, Refusal> {
        let error = wish.error.unwrap_or("environment_archived_error");
        let until = match verb {
            Verb::Started => Until::Started,
            Verb::Succeeded => Until::Succeeded,
            Verb::Failed => Until::Failed(error),
            Verb::Created
            | Verb::Updated
            | Verb::Archived
            | Verb::Deleted
            | Verb::Paused
            | Verb::Unpaused
            | Verb::RefreshFailed => {
                return Err(Refusal::invalid("that does not happen to deployment runs"));
            }
        };
        if let Some(run) = wish.resource.filter(|id| self.catalog.find(Kind::DeploymentRun, id).is_some()) {
            let notices = match until {
                Until::Started => return Err(Refusal::invalid("the run has been started")),
                Until::Succeeded => self.end_run(run, None, now)?,
                Until::Failed(error) => self.end_run(run, Some(error), now)?,
            };
            return Ok((self.catalog.get(Kind::DeploymentRun, run)?.to_value(), notices));
        }
        let (deployment, mut notices) = match wish.resource {
            Some(id) => (id.to_owned(), Vec::new()),
            None => self.make(Kind::Deployment, wish.members, now)?,
        };
        if self.agent_is_gone(&deployment) {
            // The platform notices at the next scheduled time that the agent was deleted, and gives up.
            return self.archive_resource(Kind::Deployment, &deployment, now);
        }
        let (run, of_run) = self.run_by_schedule(&deployment, until, now)?;
        notices.extend(of_run);
        Ok((self.catalog.get(Kind::DeploymentRun, &run)?.to_value(), notices))
    }

    fn agent_is_gone(&self, deployment: &str) -> bool {
        let deployment = self.catalog.find(Kind::Deployment, deployment);
        let agent =
            deployment.and_then(|found| found.object.get("agent")).cloned().map(object).unwrap_or_default();
        let agent = text(&agent, "id");
        self.catalog.ever(Kind::Agent).any(|known| known.id() == agent && known.is_deleted())
    }

    /// A resource for things to happen to, and a vault for a credential.
    fn make(
        &mut self,
        kind: Kind,
        members: Option<&Object>,
        now: DateTime<Utc>,
    ) -> Result<(String, Vec<Notice>), Refusal> {
        let mut given = sample(kind);
        given.extend(members.cloned().unwrap_or_default());
        let mut notices = Vec::new();
        let parent = match (kind.rules().parent, given.remove("vault_id")) {
            (Some(_), Some(Value::String(id))) => Some(id),
            (Some(owner), _) => {
                let (id, of_owner) = self.make(owner, None, now)?;
                notices.extend(of_owner);
                Some(id)
            }
            (None, _) => None,
        };
        let (object, of_it) = self.create_resource(kind, parent.as_deref(), given, now)?;
        notices.extend(of_it);
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        Ok((id.to_owned(), notices))
    }
}

/// Members of a plausible resource.
pub(super) fn sample(kind: Kind) -> Object {
    object(match kind {
        Kind::Vault => json!({ "display_name": "Customer 77" }),
        Kind::Credential => json!({
            "display_name": "Tracker",
            "auth": { "type": "mcp_oauth", "mcp_server_url": "https://mcp.tracker.example/mcp",
                "expires_at": "2026-08-21T10:00:00Z", "access_token": "forgotten",
                "refresh": { "client_id": "client-1", "token_endpoint": "https://tracker.example/oauth/token",
                    "token_endpoint_auth": { "type": "none" }, "refresh_token": "forgotten", "scope": "read",
                    "resource": null } },
        }),
        Kind::Agent => json!({ "name": "Support desk", "model": "claude-opus-5" }),
        Kind::Environment => json!({ "name": "python" }),
        Kind::MemoryStore => json!({ "name": "Preferences" }),
        Kind::Deployment => json!({
            "name": "Nightly report", "agent": "agent_01SimulatedAgent0000000001",
            "environment_id": "env_01SimulatedEnvironment000001",
            "initial_events": [{ "type": "user.message",
                "content": [{ "type": "text", "text": "Write the report." }] }],
            "schedule": { "type": "cron", "expression": "0 2 * * *", "timezone": "Europe/Berlin" },
        }),
        Kind::DeploymentRun => Value::Null,
    })
}

/// A change that every update makes.
fn renamed(kind: Kind, now: DateTime<Utc>) -> Object {
    let name = format!("Renamed {}", crate::clock::millis(now));
    let member = if matches!(kind, Kind::Vault | Kind::Credential) { "display_name" } else { "name" };
    object(json!({ member: name }))
}
