//! Clocks for tests: one that stands still until it is told, and the few reads of the real one.

use chrono::{DateTime, Utc};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A clock that shows what the test sets.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<DateTime<Utc>>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl domain::Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The real time, for deliveries to processes that look at the real clock themselves.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a process under test compares our time stamps with the real clock"
)]
pub fn real_now() -> DateTime<Utc> {
    DateTime::from(SystemTime::now())
}

/// The real time in whole seconds since 1970, as webhook time stamps count it.
#[must_use]
pub fn unix_seconds() -> i64 {
    real_now().timestamp()
}
