//! One accepted event, and the order in which events happened.

use crate::ids::{EndpointName, EventId, EventType};
use crate::resource::ResourceRef;
use crate::rules::rule_for;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What makes an event one event: where it was delivered and which id its sender gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// Our endpoint.
    pub endpoint: EndpointName,
    /// The sender's id.
    pub id: EventId,
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.endpoint, self.id)
    }
}

/// The shape in which an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The platform's thin envelope: `{"type":"event","data":{"type":…}}`.
    Platform,
    /// The thin envelope with the type at the top.
    Flat,
    /// The full payload of classic events; there is nothing to fetch.
    Classic,
}

impl Dialect {
    /// The name under which the dialect is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Flat => "flat",
            Self::Classic => "classic",
        }
    }
}

/// What an envelope says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The sender's id.
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// When it happened, by the sender's clock, in whole microseconds.
    pub created_at: DateTime<Utc>,
    /// The shape in which it came.
    pub dialect: Dialect,
    /// What it happened to, where that can be told.
    pub resource: Option<ResourceRef>,
    /// The sender's organization.
    pub organization_id: Option<String>,
    /// The sender's workspace.
    pub workspace_id: Option<String>,
}

impl Event {
    /// The event's place among the events of its resource.
    #[must_use]
    pub fn order(&self) -> Order {
        Order {
            created_at: self.created_at,
            rank: rule_for(self.event_type.as_str()).map_or(0, |rule| rule.rank),
            event_id: self.id.clone(),
        }
    }
}

/// A place in the total order of a resource's events. The platform's timestamps have whole seconds, so ties are
/// normal: among them the later step of the lifecycle is the later event, and the id settles the rest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// When the event happened.
    pub created_at: DateTime<Utc>,
    /// How late in a lifecycle events of its type come.
    pub rank: u8,
    /// The last tie-breaker.
    pub event_id: EventId,
}
