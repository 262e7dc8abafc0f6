//! Saying the same thing less often.
//!
//! A dependency that is away makes a loop fail many times a minute. One line and a count of the others tell as much as
//! all of them. Time is passed in; nothing here reads a clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Lets one occurrence per period pass and counts the others.
#[derive(Debug, Clone)]
pub struct Throttle {
    period: Duration,
    admitted_at: Option<Instant>,
    suppressed: u64,
}

impl Throttle {
    /// A throttle that admits the first occurrence, and then one per `period`.
    #[must_use]
    pub const fn new(period: Duration) -> Self {
        Self { period, admitted_at: None, suppressed: 0 }
    }

    /// Whether an occurrence at `now` passes; if so, how many were suppressed since the last one that did.
    pub fn admit(&mut self, now: Instant) -> Option<u64> {
        if !self.is_due(now) {
            self.suppressed += 1;
            return None;
        }
        self.admitted_at = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }

    fn is_due(&self, now: Instant) -> bool {
        self.admitted_at.is_none_or(|at| now.saturating_duration_since(at) >= self.period)
    }
}

/// One [`Throttle`] per text: identical log lines are limited, a new one passes at once.
#[derive(Debug, Clone)]
pub struct LogLimiter {
    period: Duration,
    lines: HashMap<String, Throttle>,
    /// Shared by all texts beyond [`Self::CAPACITY`].
    rest: Throttle,
}

impl LogLimiter {
    /// How many texts are told apart. Texts may contain what strangers sent, so their number must be bounded.
    pub const CAPACITY: usize = 64;

    /// A limiter that admits each text once per `period`.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self { period, lines: HashMap::new(), rest: Throttle::new(period) }
    }

    /// Whether `line` is to be logged at `now`; if so, how many equal ones were suppressed since the last time.
    pub fn admit(&mut self, line: &str, now: Instant) -> Option<u64> {
        if let Some(throttle) = self.lines.get_mut(line) {
            return throttle.admit(now);
        }
        if self.lines.len() >= Self::CAPACITY {
            // A text with suppressed occurrences stays, or its count would be lost.
            self.lines.retain(|_, throttle| !throttle.is_due(now) || throttle.suppressed > 0);
        }
        if self.lines.len() >= Self::CAPACITY {
            return self.rest.admit(now);
        }
        self.lines.entry(line.to_owned()).or_insert(Throttle::new(self.period)).admit(now)
    }
}

#[cfg(test)]
mod tests;
