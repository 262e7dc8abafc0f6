//! What the platform failed to deliver, told from what it lists.
//!
//! A webhook that was never delivered has left a trace: the resource looks different from what we hold. [`missed`] says
//! which events would have led to what is seen, so that they can take the way of any other event:
//!
//! | kind | held | seen | missed |
//! | --- | --- | --- | --- |
//! | any | a tombstone | anything | nothing: what is deleted stays so |
//! | session | nothing | idle, as it was created | `session.created` |
//! | session | nothing, or another status | running, idle, rescheduling, terminated | `session.status_…` of that status |
//! | session | the same status, older | anything but running | `session.updated` |
//! | thread | nothing | anything | `session.thread_created`, and the event of its status |
//! | thread | another status, or an older idle | idle, terminated | `session.thread_idled`, `session.thread_terminated` |
//! | deployment run | nothing | anything | `.started`, and `.succeeded` or `.failed` |
//! | deployment | another status | active, paused, archived | `.unpaused`, `.paused`, `.archived` |
//! | all other | nothing | anything | `.created`, `.updated` if it changed since, and the event of its status |
//! | all other | the same status, older | anything | `.updated`, where the kind has it |
//!
//! A running session of which we know that it runs is equal however young it is: it changes all the time, and what it
//! comes to is told by the event that ends the run. Kinds without an `updated` event (vaults, credentials, memory stores)
//! are equal as long as their status is: no webhook would have been sent either.

use crate::resource::{ResourceKind, ResourceRef};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

mod envelope;
pub use envelope::{Owner, body, id_of_change, id_of_transition};

/// What we hold of a resource, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// The status of the newest snapshot; `None` while there is no snapshot.
    pub status: Option<String>,
    /// The resource's own time of last change in that snapshot.
    pub updated_at: Option<DateTime<Utc>>,
    /// When that snapshot was fetched.
    pub fetched_at: Option<DateTime<Utc>>,
    /// Whether it is known to be deleted.
    pub deleted: bool,
}

/// What the platform lists of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which one it is.
    pub resource: ResourceRef,
    /// Its status, in the words under which we store it.
    pub status: Option<String>,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed, where it says so.
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was archived, if it was.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Listed {
    /// When it came to be what it is: its own time of last change. `None` for an object that names no time at all, of
    /// which no event can be made.
    #[must_use]
    pub fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.updated_at.or(self.archived_at).or(self.created_at)
    }
}

/// An event that should have been delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// Its type.
    pub event_type: &'static str,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The last look at the resource, where it came so soon after this that the platform may still have shown the state
    /// of before. It makes another event of the same change, which leads to another look.
    pub looked_too_early: Option<DateTime<Utc>>,
}

impl Missed {
    /// What happened, and was not looked for yet.
    #[must_use]
    pub const fn new(event_type: &'static str, at: DateTime<Utc>) -> Self {
        Self { event_type, at, looked_too_early: None }
    }
}

/// How long after a change the platform may show the state of before; it says "a moment". A resource whose list and whose
/// own answer disagree for longer is left alone.
const LAG: TimeDelta = TimeDelta::hours(1);

/// The events that would have led from what is held (`None`: the resource is unknown) to what is seen, oldest first. Empty
/// where both are equal.
#[must_use]
pub fn missed(held: Option<&Held>, seen: &Listed) -> Vec<Missed> {
    let Some(changed_at) = seen.changed_at() else { return Vec::new() };
    if held.is_some_and(|held| held.deleted) {
        return Vec::new();
    }
    let known = held.filter(|held| held.status.is_some());
    let change = match known {
        None => Change::Unknown,
        Some(known) if known.status != seen.status => Change::Status,
        Some(known) if is_newer(seen.updated_at, known.updated_at) => Change::Newer,
        Some(_) => return Vec::new(),
    };
    let created_at = seen.created_at.unwrap_or(changed_at);
    let words = words(seen.resource.kind, seen.status.as_deref().unwrap_or_default());
    let mut missed = Vec::new();
    match change {
        Change::Unknown => {
            let untouched = words.starts_so && changed_at == created_at;
            if let Some(created) = words.created.filter(|_| untouched || words.birth_is_told) {
                missed.push(Missed::new(created, created_at));
            }
            if !untouched {
                let updated = words.updated.filter(|_| words.birth_is_told && changed_at > created_at);
                let status = words.status.filter(|_| !words.starts_so || !words.birth_is_told);
                let last = status.or(updated);
                missed.extend(last.map(|event_type| Missed::new(event_type, changed_at)));
            }
        }
        Change::Status => missed.extend(words.status.map(|event_type| Missed::new(event_type, changed_at))),
        Change::Newer => missed.extend(words.again.map(|event_type| Missed::new(event_type, changed_at))),
    }
    let looked = held.and_then(|held| held.fetched_at).filter(|at| *at - changed_at < LAG);
    for missed in &mut missed {
        missed.looked_too_early = looked;
    }
    missed
}

enum Change {
    Unknown,
    Status,
    Newer,
}

/// Postgres keeps microseconds: what was stored must not look older than itself.
fn is_newer(seen: Option<DateTime<Utc>>, held: Option<DateTime<Utc>>) -> bool {
    match (seen, held) {
        (Some(seen), Some(held)) => seen.trunc_subsecs(6) > held.trunc_subsecs(6),
        (seen, held) => seen.is_some() && held.is_none(),
    }
}

/// The event that tells of the deletion of a resource, where the platform has one.
#[must_use]
pub const fn deletion_of(kind: ResourceKind) -> Option<&'static str> {
    match kind {
        ResourceKind::Session => Some("session.deleted"),
        ResourceKind::Vault => Some("vault.deleted"),
        ResourceKind::VaultCredential => Some("vault_credential.deleted"),
        ResourceKind::Agent => Some("agent.deleted"),
        ResourceKind::Deployment => Some("deployment.deleted"),
        ResourceKind::Environment => Some("environment.deleted"),
        ResourceKind::MemoryStore => Some("memory_store.deleted"),
        ResourceKind::SessionThread
        | ResourceKind::DeploymentRun
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile
        | ResourceKind::Message => None,
    }
}

/// The kinds that can be listed, in the order in which they are compared: what others belong to comes first.
pub const KINDS: [ResourceKind; 9] = [
    ResourceKind::Session,
    ResourceKind::SessionThread,
    ResourceKind::Deployment,
    ResourceKind::DeploymentRun,
    ResourceKind::Agent,
    ResourceKind::Environment,
    ResourceKind::Vault,
    ResourceKind::VaultCredential,
    ResourceKind::MemoryStore,
];

/// The event types of a kind that has a given status.
#[derive(Default)]
struct Words {
    /// It was created.
    created: Option<&'static str>,
    /// Whether its creation is told by an event of its own, whatever became of it since.
    birth_is_told: bool,
    /// It came to have this status.
    status: Option<&'static str>,
    /// Whether it had this status from the start.
    starts_so: bool,
    /// It changed after its creation.
    updated: Option<&'static str>,
    /// It changed, and has the status that it had.
    again: Option<&'static str>,
}

fn words(kind: ResourceKind, status: &str) -> Words {
    match kind {
        ResourceKind::Session => Words {
            created: Some("session.created"),
            birth_is_told: false,
            status: Some(match status {
                "running" => "session.status_run_started",
                "idle" => "session.status_idled",
                "rescheduling" => "session.status_rescheduled",
                "terminated" => "session.status_terminated",
                _ => "session.updated",
            }),
            starts_so: status == "idle",
            updated: Some("session.updated"),
            again: (status != "running").then_some("session.updated"),
        },
        ResourceKind::SessionThread => {
            // A thread that begins to run is told by no webhook.
            let status = match status {
                "idle" => Some("session.thread_idled"),
                "terminated" => Some("session.thread_terminated"),
                _ => None,
            };
            let again = status.filter(|status| *status == "session.thread_idled");
            let created = Some("session.thread_created");
            Words { created, birth_is_told: true, status, again, ..Words::default() }
        }
        ResourceKind::DeploymentRun => {
            let status = match status {
                "succeeded" => Some("deployment_run.succeeded"),
                "failed" => Some("deployment_run.failed"),
                _ => None,
            };
            let created = Some("deployment_run.started");
            Words { created, birth_is_told: true, status, starts_so: status.is_none(), ..Words::default() }
        }
        ResourceKind::Deployment => {
            let word = match status {
                "paused" => "deployment.paused",
                "archived" => "deployment.archived",
                _ => "deployment.unpaused",
            };
            let updated = Some("deployment.updated");
            settled(Some("deployment.created"), Some(word), !matches!(status, "paused" | "archived"), updated)
        }
        ResourceKind::Agent => plain(status, ["agent.created", "agent.archived"], Some("agent.updated")),
        ResourceKind::Environment => {
            plain(status, ["environment.created", "environment.archived"], Some("environment.updated"))
        }
        ResourceKind::Vault => plain(status, ["vault.created", "vault.archived"], None),
        ResourceKind::VaultCredential => {
            plain(status, ["vault_credential.created", "vault_credential.archived"], None)
        }
        ResourceKind::MemoryStore => plain(status, ["memory_store.created", "memory_store.archived"], None),
        ResourceKind::ExternalKey | ResourceKind::UserProfile | ResourceKind::Message => Words::default(),
    }
}

/// A kind that is active until it is archived.
fn plain(status: &str, [created, archived]: [&'static str; 2], updated: Option<&'static str>) -> Words {
    let is_archived = status == "archived";
    // There is no way back from the archive; an odd status is looked at again by whatever event there is.
    let word = if is_archived { Some(archived) } else { updated };
    settled(Some(created), word, !is_archived, updated)
}

fn settled(
    created: Option<&'static str>,
    status: Option<&'static str>,
    starts_so: bool,
    updated: Option<&'static str>,
) -> Words {
    Words { created, birth_is_told: true, status, starts_so, updated, again: updated }
}

#[cfg(test)]
mod tests;
