//! What follows a failed try.

use crate::failure::FailureClass;
use chrono::{DateTime, TimeDelta, Utc};

/// How often an event is tried, and how long it rests in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    tries: u32,
    delays: Vec<TimeDelta>,
}

/// The longest rest that a `Retry-After` of the API can ask for.
pub const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Rests are spread by this share in both directions, so that events that failed together do not return together.
const JITTER: f64 = 0.1;

/// What happens to an event after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Tried again, no earlier than `at`; `tries` are now used up.
    Retry {
        /// When the next try is due.
        at: DateTime<Utc>,
        /// How many tries are used up.
        tries: u32,
    },
    /// It rests until `at` without having used up a try.
    Wait {
        /// When it is to be looked at again.
        at: DateTime<Utc>,
    },
    /// Into the dead-letter queue; `tries` were used up.
    Dead {
        /// How many tries are used up.
        tries: u32,
    },
}

/// The settings make no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// No try at all.
    #[error("an event needs at least one try")]
    NoTries,
    /// No delay although there is a second try.
    #[error("more than one try needs at least one delay")]
    NoDelays,
    /// A delay below zero.
    #[error("a delay must not be negative")]
    NegativeDelay,
}

impl RetryPolicy {
    /// A policy of `tries` tries with `delays` between them; the last delay serves for all later ones.
    ///
    /// # Errors
    /// When there is no try, or a second try without a delay before it, or a negative delay.
    pub fn new(tries: u32, delays: Vec<TimeDelta>) -> Result<Self, InvalidPolicy> {
        if tries == 0 {
            return Err(InvalidPolicy::NoTries);
        }
        if tries > 1 && delays.is_empty() {
            return Err(InvalidPolicy::NoDelays);
        }
        if delays.iter().any(|delay| *delay < TimeDelta::zero()) {
            return Err(InvalidPolicy::NegativeDelay);
        }
        Ok(Self { tries, delays })
    }

    /// How many tries an event has.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// What follows a failure of `class` at `now`, when `used` tries were used up before it.
    ///
    /// `jitter` is drawn by the caller from 0 to 1. `retry_after` is what the API asked for: it makes the rest
    /// longer, never shorter, up to [`LONGEST_RETRY_AFTER`].
    #[must_use]
    pub fn after_failure(
        &self,
        used: u32,
        class: FailureClass,
        now: DateTime<Utc>,
        retry_after: Option<TimeDelta>,
        jitter: f64,
    ) -> Next {
        if !class.counts_as_try() {
            return Next::Wait { at: now + self.rest(used, retry_after, jitter) };
        }
        let tries = used.saturating_add(1);
        if class == FailureClass::Permanent || tries >= self.tries {
            return Next::Dead { tries };
        }
        Next::Retry { at: now + self.rest(used, retry_after, jitter), tries }
    }

    /// What follows a failure that was not the event's, because upstream was away altogether: it rests, and `used` tries
    /// stay used. `retry_after` and `jitter` are those of [`after_failure`](Self::after_failure).
    #[must_use]
    pub fn after_outage(
        &self,
        used: u32,
        now: DateTime<Utc>,
        retry_after: Option<TimeDelta>,
        jitter: f64,
    ) -> Next {
        Next::Wait { at: now + self.rest(used, retry_after, jitter) }
    }

    fn rest(&self, used: u32, retry_after: Option<TimeDelta>, jitter: f64) -> TimeDelta {
        let index = usize::try_from(used).unwrap_or(usize::MAX);
        let delay = self.delays.get(index).or(self.delays.last()).copied().unwrap_or_default();
        let spread = (1.0 - JITTER) + 2.0 * JITTER * jitter.clamp(0.0, 1.0);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "delays are hours at most"
        )]
        let rest = TimeDelta::milliseconds((delay.num_milliseconds() as f64 * spread) as i64);
        rest.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }
}

#[cfg(test)]
mod tests;
