//! In which state an accepted event is.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Every accepted event is in exactly one of these, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Accepted, not finished: in the queue, being processed, or waiting for its next try.
    Pending,
    /// It changed its resource.
    Applied,
    /// A newer event of the same resource had been applied before; it stands in the history at its place.
    Superseded,
    /// Nothing is known to follow from it: stored, shown and counted.
    Ignored,
    /// Its tries are used up (or it can never work); it waits in the dead-letter queue.
    Dead,
    /// A person closed it out of the dead-letter queue.
    Discarded,
}

impl EventStatus {
    /// All states, in the order of the ledger.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Applied, Self::Superseded, Self::Ignored, Self::Dead, Self::Discarded];

    /// The name under which the state is stored, printed and counted.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Superseded => "superseded",
            Self::Ignored => "ignored",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }

    /// Whether no worker will touch the event any more unless a person replays it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending)
    }
}

impl fmt::Display for EventStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the name of an event status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status {0:?}, expected pending, applied, superseded, ignored, dead or discarded")]
pub struct UnknownStatus(pub String);

impl FromStr for EventStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}
