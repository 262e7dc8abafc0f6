//! Whether it is worth asking Postgres.

use std::time::{Duration, Instant};

/// Remembers a failure for a moment, so that not every batch waits for the same deadline. When the moment is over, the
/// next batch asks again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Away {
    pause: Duration,
    until: Option<Instant>,
}

impl Away {
    pub(super) const fn new(pause: Duration) -> Self {
        Self { pause, until: None }
    }

    pub(super) fn is_away(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.until = Some(now + self.pause);
    }

    pub(super) const fn is_back(&mut self) {
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_remembered_for_a_moment_and_a_success_forgets_it() {
        let now = Instant::now();
        let mut away = Away::new(Duration::from_secs(1));
        assert!(!away.is_away(now));
        away.failed(now);
        assert!(away.is_away(now + Duration::from_millis(999)));
        assert!(!away.is_away(now + Duration::from_secs(1)));
        away.failed(now);
        away.is_back();
        assert!(!away.is_away(now));
    }
}
