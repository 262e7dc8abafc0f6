//! How the last calls ended.

use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;

/// Calls that ended longer ago say nothing about now.
const LENGTH: TimeDelta = TimeDelta::seconds(60);

/// No more calls are remembered: under load these are the last seconds, which is all the better.
const MOST_CALLS: usize = 100;

/// Fewer calls decide nothing. A few broken resources that are tried at the same time are fewer.
pub(super) const FEWEST_CALLS: usize = 10;

/// The end of each of the last calls: when, and whether it failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    calls: VecDeque<(DateTime<Utc>, bool)>,
}

impl Window {
    pub(super) fn push(&mut self, now: DateTime<Utc>, failed: bool) {
        self.calls.retain(|(at, _)| *at > now - LENGTH);
        if self.calls.len() >= MOST_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back((now, failed));
    }

    /// Whether there were enough calls to tell, and more than half of them failed.
    pub(super) fn mostly_failed(&self) -> bool {
        let failed = self.calls.iter().filter(|(_, failed)| *failed).count();
        self.calls.len() >= FEWEST_CALLS && failed * 2 > self.calls.len()
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
    }
}
