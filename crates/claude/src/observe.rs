//! What an onlooker learns about each attempt.

use crate::Error;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Called after every attempt, on the task that made the call: count, and return at once.
pub type Observer = Arc<dyn Fn(&Attempt) + Send + Sync>;

/// One HTTP request that was made, or that failed to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The call it belongs to, such as `get_session`. A closed set, fit for a metric's label.
    pub operation: &'static str,
    /// 0 for the first attempt of a call, 1 for its first retry.
    pub number: u32,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// From the start of the request to its end.
    pub elapsed: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// A complete answer with this HTTP status.
    Status(u16),
    /// A timeout after the connection stood.
    Timeout,
    /// No connection, so the request was never sent.
    Connect,
    /// The connection broke before the answer was complete.
    Interrupted,
    /// The answer was larger than allowed.
    TooLarge,
    /// The request could not be built.
    Unsendable,
}

impl AttemptOutcome {
    /// The outcome as a label: the status, or one word.
    #[must_use]
    pub fn label(self) -> Cow<'static, str> {
        match self {
            Self::Status(status) => Cow::Owned(status.to_string()),
            Self::Timeout => Cow::Borrowed("timeout"),
            Self::Connect => Cow::Borrowed("connect"),
            Self::Interrupted => Cow::Borrowed("interrupted"),
            Self::TooLarge => Cow::Borrowed("too_large"),
            Self::Unsendable => Cow::Borrowed("unsendable"),
        }
    }

    pub(crate) fn of_error(error: &Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::Status(refusal.status),
            Error::Timeout { .. } => Self::Timeout,
            Error::Connect { .. } => Self::Connect,
            // Within an attempt the only broken body is a truncated one; it is parsed later.
            Error::Interrupted { .. } | Error::Body { .. } => Self::Interrupted,
            Error::TooLarge { .. } => Self::TooLarge,
            Error::BaseUrl { .. }
            | Error::Header { .. }
            | Error::EmptyKey
            | Error::Build { .. }
            | Error::InvalidId { .. }
            | Error::NotOffered { .. }
            | Error::NoParent { .. }
            | Error::EventCount { .. } => Self::Unsendable,
        }
    }
}
