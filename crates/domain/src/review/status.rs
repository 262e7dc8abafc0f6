//! How a review stands.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How a review stands. Nobody stores it: the database tells it from what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    /// The question was not looked up yet.
    Preparing,
    /// A person is to answer.
    Open,
    /// The policy or an executor is about to answer.
    Executing,
    /// The answer is on its way.
    Decided,
    /// The session has an answer.
    Answered,
    /// The answer could not be delivered: it is a dead letter.
    Failed,
    /// The session does not wait for it any more.
    Obsolete,
}

impl ReviewStatus {
    /// All statuses, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Preparing,
        Self::Open,
        Self::Executing,
        Self::Decided,
        Self::Answered,
        Self::Failed,
        Self::Obsolete,
    ];

    /// The name under which the status is printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Open => "open",
            Self::Executing => "executing",
            Self::Decided => "decided",
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Obsolete => "obsolete",
        }
    }

    /// Whether nothing is left to be done.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Answered | Self::Obsolete)
    }
}

impl fmt::Display for ReviewStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the name of a status of reviews.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status of a review {0:?}")]
pub struct UnknownReviewStatus(pub String);

impl FromStr for ReviewStatus {
    type Err = UnknownReviewStatus;

    fn from_str(text: &str) -> Result<Self, UnknownReviewStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownReviewStatus(text.to_owned()))
    }
}
