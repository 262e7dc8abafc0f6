//! Why a try failed, and what that means for the event.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The kind of a failure. Whoever handles a failure looks at its class and at nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Network failure, timeout, 5xx or 529: the same call may well succeed later.
    Transient,
    /// 429: we ask too much. Everybody slows down; no try is used up.
    Throttled,
    /// 401 or 403: our key or its rights are wrong. A person must act; no try is used up.
    Configuration,
    /// 404: the resource is not there (any more, or not yet).
    Gone,
    /// This event can never be processed; trying again is pointless.
    Permanent,
    /// A panic or a broken invariant in our own code.
    Bug,
}

impl FailureClass {
    /// All classes, in the order of their declaration.
    pub const ALL: [Self; 6] =
        [Self::Transient, Self::Throttled, Self::Configuration, Self::Gone, Self::Permanent, Self::Bug];

    /// The name under which the class is stored, printed and counted.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::Configuration => "configuration",
            Self::Gone => "gone",
            Self::Permanent => "permanent",
            Self::Bug => "bug",
        }
    }

    /// Whether a failure of this class uses up one of the event's tries. Waiting for an outage of ours or for
    /// budget is not a try.
    #[must_use]
    pub const fn counts_as_try(self) -> bool {
        !matches!(self, Self::Throttled | Self::Configuration)
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a failure class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown failure class {0:?}, expected transient, throttled, configuration, gone, permanent or bug")]
pub struct UnknownFailureClass(pub String);

impl FromStr for FailureClass {
    type Err = UnknownFailureClass;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| UnknownFailureClass(text.to_owned()))
    }
}
