//! What we know of a resource.

use crate::event::Order;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
    /// Whether this snapshot is to replace `other`: by the resource's own clock first, by ours second. One that does not
    /// say when it changed is as new as its fetch. (To compare such a pair by the fetches alone would be no order: each
    /// of three snapshots could replace the next, and the last one to come would win.)
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        let age = |snapshot: &Self| (snapshot.updated_at.unwrap_or(snapshot.fetched_at), snapshot.fetched_at);
        age(self) > age(other)
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
    /// The resource was there, and more was asked about why something happened to it.
    Explained(Snapshot, Explanation),
    /// The API says that it is not there.
    Gone,
    /// There was nothing to ask: the event says it all, or our knowledge is newer than the event.
    NotFetched,
}

impl Observation {
    /// The resource, where it was there.
    #[must_use]
    pub const fn snapshot(&self) -> Option<&Snapshot> {
        match self {
            Self::Found(snapshot) | Self::Explained(snapshot, _) => Some(snapshot),
            Self::Gone | Self::NotFetched => None,
        }
    }

    /// What more was asked.
    #[must_use]
    pub const fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::Explained(_, explanation) => Some(explanation),
            Self::Found(_) | Self::Gone | Self::NotFetched => None,
        }
    }
}

/// What was asked beside the resource, to say why something happened. It is not kept: what counts of it goes into the
/// key and the detail of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The last times that the session went idle, the newest first.
    pub idles: Vec<Idle>,
    /// One line for people.
    pub note: Option<String>,
}

/// One time that a session went idle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idle {
    /// The event of the session's list that says so.
    pub event_id: String,
    /// Its `stop_reason.type`. Open.
    pub reason: String,
    /// When it was.
    pub at: DateTime<Utc>,
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
