//! When a failed attempt is repeated in place, and after how long: the rules of the official clients.

mod hints;
#[cfg(test)]
mod tests;

use crate::{Defect, Error};
pub(crate) use hints::Hints;
use std::time::Duration;

/// How freely a call may be repeated, from careful to generous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retry {
    /// Not at all.
    Never,
    /// Only where the call was certainly not carried out: no connection, or a refusal below 500 other than 408.
    /// The API does not deduplicate posts, so a repeated one may be done twice.
    Unambiguous,
    /// Like the official clients: also after timeouts, broken connections, 408 and every status from 500.
    Sdk,
}

/// How often and how long to wait before an attempt is repeated in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries after the first attempt; 0 makes every failure final.
    pub retries: u32,
    /// Wait before the first retry; each further one doubles it.
    pub first_wait: Duration,
    /// Longest wait of our own choosing.
    pub longest_wait: Duration,
    /// Longest wait the platform may ask for and get in place. When it asks for more, the call fails at once and
    /// [`Error::retry_after`] says how much, because the caller can wait without holding the work.
    pub max_in_place_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 2,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(8),
            max_in_place_wait: Duration::from_secs(8),
        }
    }
}

/// What is known about a failed attempt, as far as it matters for repeating it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The request did not leave.
    NotSent,
    /// The request may have arrived, a complete answer did not.
    Unanswered,
    /// The API refused.
    Refused { status: u16, hints: Hints },
    /// Repeating would lead to the same end.
    Final,
}

impl Failure {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Connect { .. } => Self::NotSent,
            Error::Timeout { .. }
            | Error::Interrupted { .. }
            | Error::Body { defect: Defect::Truncated, .. } => Self::Unanswered,
            Error::Refused(refusal) => Self::Refused {
                status: refusal.status,
                hints: Hints { should_retry: refusal.should_retry, retry_after: refusal.retry_after },
            },
            Error::BaseUrl { .. }
            | Error::Header { .. }
            | Error::EmptyKey
            | Error::Build { .. }
            | Error::InvalidId { .. }
            | Error::NotOffered { .. }
            | Error::NoParent { .. }
            | Error::EventCount { .. }
            | Error::Body { .. }
            | Error::TooLarge { .. } => Self::Final,
        }
    }

    const fn needs(self) -> Option<Retry> {
        match self {
            Self::NotSent => Some(Retry::Unambiguous),
            Self::Unanswered => Some(Retry::Sdk),
            Self::Final => None,
            Self::Refused { status, hints } => {
                let worthwhile = match hints.should_retry {
                    Some(answer) => answer,
                    None => matches!(status, 408 | 409 | 429 | 500..),
                };
                match (worthwhile, status) {
                    (false, _) => None,
                    (true, 408 | 500..) => Some(Retry::Sdk),
                    (true, _) => Some(Retry::Unambiguous),
                }
            }
        }
    }
}

impl RetryPolicy {
    /// How long to wait before the next attempt, or `None` if the failure is final.
    ///
    /// `attempt` counts from 0. `jitter` in `[0, 1)` shortens a wait of our own choosing by up to a quarter; a
    /// wait the platform asked for is kept exactly.
    pub(crate) fn next_wait(
        &self,
        retry: Retry,
        attempt: u32,
        failure: Failure,
        jitter: f64,
    ) -> Option<Duration> {
        if attempt >= self.retries || failure.needs().is_none_or(|needed| retry < needed) {
            return None;
        }
        if let Failure::Refused { hints: Hints { retry_after: Some(asked), .. }, .. } = failure {
            return (asked <= self.max_in_place_wait).then_some(asked);
        }
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(attempt));
        Some(shortened(doubled.min(self.longest_wait), jitter))
    }
}

/// `wait` times a factor between 0.75 and 1. A jitter outside its range is ignored: it must not break a call.
fn shortened(wait: Duration, jitter: f64) -> Duration {
    let jitter = if (0.0..=1.0).contains(&jitter) { jitter } else { 0.0 };
    Duration::try_from_secs_f64(wait.as_secs_f64() * (1.0 - 0.25 * jitter)).unwrap_or(wait)
}
