//! What follows a call of an executor that failed.

use crate::failure::FailureClass;
use crate::retry::{Next, RetryPolicy};
use chrono::{DateTime, TimeDelta, Utc};

/// What becomes of a tool use that an executor did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The agent is told that the tool failed; a tool that was to be allowed is denied.
    Error,
    /// A person is asked.
    Person,
}

/// Whether a failed call may have reached the executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Certainly not.
    No,
    /// Perhaps, or certainly.
    Maybe,
}

/// How often an executor is called, and what follows when it does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How often, and how long to rest in between.
    pub retry: RetryPolicy,
    /// Whether it must not be called again once a call may have reached it.
    pub at_most_once: bool,
    /// What follows when it did not answer.
    pub on_failure: OnFailure,
}

impl Plan {
    /// When the executor is called again after `calls` calls of which the last has failed; `None`: never.
    ///
    /// `retry_after` is what the executor asked for, `jitter` is drawn by the caller from 0 to 1.
    #[must_use]
    pub fn next_call(
        &self,
        calls: u32,
        reached: Reached,
        now: DateTime<Utc>,
        retry_after: Option<TimeDelta>,
        jitter: f64,
    ) -> Option<DateTime<Utc>> {
        if self.at_most_once && reached == Reached::Maybe {
            return None;
        }
        let used = calls.saturating_sub(1);
        match self.retry.after_failure(used, FailureClass::Transient, now, retry_after, jitter) {
            Next::Retry { at, .. } | Next::Wait { at } => Some(at),
            Next::Dead { .. } => None,
        }
    }
}
