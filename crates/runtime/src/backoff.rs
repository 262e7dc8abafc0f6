//! How long to wait before the next attempt.

use std::time::Duration;

/// Doubling delays between two bounds, with jitter, so that many processes do not come back at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
}

impl Default for Backoff {
    /// Half a second to half a minute: fast enough after a hiccup, gentle enough during an outage.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }
}

impl Backoff {
    /// Delays around `initial` after the first failure, doubling up to `max`.
    #[must_use]
    pub const fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max }
    }

    /// The delay after this many failures in a row (1 is the first). `jitter` is a random number from 0 to 1 and chooses
    /// between half the delay and all of it.
    #[must_use]
    pub fn delay(&self, failures: u32, jitter: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.initial.saturating_mul(1_u32 << doublings).min(self.max);
        // `mul_f64` panics on what is no number, and whoever asks here must go on.
        let jitter = if jitter.is_nan() { 1.0 } else { jitter.clamp(0.0, 1.0) };
        full.mul_f64(0.5 + jitter / 2.0)
    }

    /// Something that ran at least this long was healthy: its next failure is a first one.
    #[must_use]
    pub const fn healthy_after(&self) -> Duration {
        self.max
    }
}

#[cfg(test)]
mod tests;
