//! What events happen to, and what we know of it.

use crate::event::Order;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The kinds of resource that events name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the platform's own words; see docs/ARCHITECTURE.md")]
pub enum ResourceKind {
    Session,
    SessionThread,
    Vault,
    VaultCredential,
    Agent,
    Deployment,
    DeploymentRun,
    Environment,
    MemoryStore,
    ExternalKey,
    UserProfile,
    /// A message of the classic contract; it lives in payloads only.
    Message,
}

impl ResourceKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Session,
        Self::SessionThread,
        Self::Vault,
        Self::VaultCredential,
        Self::Agent,
        Self::Deployment,
        Self::DeploymentRun,
        Self::Environment,
        Self::MemoryStore,
        Self::ExternalKey,
        Self::UserProfile,
        Self::Message,
    ];

    /// The name under which the kind is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SessionThread => "session_thread",
            Self::Vault => "vault",
            Self::VaultCredential => "vault_credential",
            Self::Agent => "agent",
            Self::Deployment => "deployment",
            Self::DeploymentRun => "deployment_run",
            Self::Environment => "environment",
            Self::MemoryStore => "memory_store",
            Self::ExternalKey => "external_key",
            Self::UserProfile => "user_profile",
            Self::Message => "message",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the name of a resource kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown resource type {0:?}; known are session, session_thread, message and the other types of the API"
)]
pub struct UnknownResourceKind(pub String);

impl FromStr for ResourceKind {
    type Err = UnknownResourceKind;

    fn from_str(text: &str) -> Result<Self, UnknownResourceKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownResourceKind(text.to_owned()))
    }
}

/// One resource, named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRef {
    /// What it is.
    pub kind: ResourceKind,
    /// Its id.
    pub id: String,
    /// The id of what it belongs to: a thread's session, a credential's vault. Some fetches need it.
    pub parent_id: Option<String>,
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// Where a snapshot came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotSource {
    /// Fetched from the API.
    Api,
    /// Taken from the payload of a classic event, because there is no API to fetch it from.
    Payload,
}

impl SnapshotSource {
    /// The name under which the source is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Payload => "payload",
        }
    }
}

/// Why a session waits. The session object does not say it; the last idle event of its event list does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The id of that idle event.
    pub event_id: String,
    /// Its `stop_reason.type`, for example `requires_action`. Open.
    pub reason: String,
    /// The tool-use events that wait for an answer, when the reason is `requires_action`.
    pub blocking_event_ids: Vec<String>,
}

/// A resource as it was seen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The object, as JSON text, exactly as it came.
    pub body: String,
    /// Its status, where it has one.
    pub status: Option<String>,
    /// Its own time of last change, where it has one.
    pub updated_at: Option<DateTime<Utc>>,
    /// When the fetch began: the snapshot covers all that happened before.
    pub fetched_at: DateTime<Utc>,
    /// Where it came from.
    pub source: SnapshotSource,
    /// Why the session waits, where that was asked and answered.
    pub waiting: Option<Waiting>,
}

impl Snapshot {
    /// Whether this snapshot is to replace `other`: by the resource's own clock first, by ours second.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        (self.updated_at, self.fetched_at) > (other.updated_at, other.fetched_at)
    }

    /// The tool-use events that wait for an answer as of this snapshot; `None` where that is not known.
    #[must_use]
    pub fn blocking_event_ids(&self) -> Option<&[String]> {
        if self.status.as_deref() != Some("idle") {
            return Some(&[]);
        }
        let waiting = self.waiting.as_ref()?;
        Some(if waiting.reason == "requires_action" { &waiting.blocking_event_ids } else { &[] })
    }
}

/// What was seen when an event was looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// The resource was there.
    Found(Snapshot),
    /// The API says that it is not there.
    Gone,
    /// There was nothing to ask: the event says it all, or our knowledge is newer than the event.
    NotFetched,
}

/// All that is kept of a resource. Each part only ever moves forward (a maximum, or a flag that stays set), which
/// is why neither order nor number of deliveries can change where it ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceState {
    /// The newest event.
    pub last_event: Option<Order>,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// When it was deleted, if it was. A tombstone: nothing un-deletes.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl ResourceState {
    /// The status that people see.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        if self.deleted_at.is_some() {
            return Some("deleted");
        }
        self.snapshot.as_ref().and_then(|snapshot| snapshot.status.as_deref())
    }
}
