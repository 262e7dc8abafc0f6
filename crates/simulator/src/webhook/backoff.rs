//! How long the sender waits between attempts.

use std::time::Duration;

/// An event is tried this often per endpoint, then forgotten.
pub(crate) const MAX_ATTEMPTS: u32 = 3;

const SHORTEST_SECONDS: f64 = 5.0;
const LONGEST_SECONDS: f64 = 120.0;
/// With two waits only, a factor of four makes both differ visibly; the platform publishes no formula.
const GROWTH: f64 = 4.0;

/// The wait before attempt `attempt` (2 or 3), between 5 and 120 s times `scale`; `jitter` is between 0 and 1.
pub(crate) fn wait(attempt: u32, jitter: f64, scale: f64) -> Duration {
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let ceiling = (SHORTEST_SECONDS * GROWTH.powi(exponent)).min(LONGEST_SECONDS);
    let seconds = SHORTEST_SECONDS + jitter.clamp(0.0, 1.0) * (ceiling - SHORTEST_SECONDS);
    Duration::try_from_secs_f64(seconds * scale).unwrap_or_default()
}

#[cfg(test)]
mod tests;
