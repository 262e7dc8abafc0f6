//! A limit on API calls per minute, as the platform has one for a whole organization.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The platform counts by the minute.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);

/// Calls of the last window.
#[derive(Debug)]
pub(crate) struct Limit {
    /// How many are let through in a window; none for all.
    pub(crate) requests: Option<usize>,
    pub(crate) window: Duration,
    taken: VecDeque<Instant>,
    /// Calls refused since the last reset.
    pub(crate) refused: u64,
}

impl Limit {
    pub(crate) fn new(requests: Option<usize>) -> Self {
        Self { requests, window: WINDOW, taken: VecDeque::new(), refused: 0 }
    }

    /// Takes one call, or answers how long to wait for the next one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(requests) = self.requests else { return Ok(()) };
        let left = |taken: &Instant| self.window.saturating_sub(now.saturating_duration_since(*taken));
        while self.taken.front().is_some_and(|oldest| left(oldest).is_zero()) {
            self.taken.pop_front();
        }
        if self.taken.len() < requests {
            self.taken.push_back(now);
            return Ok(());
        }
        self.refused += 1;
        Err(self.taken.front().map_or(self.window, left))
    }
}

#[cfg(test)]
mod tests;
