//! Ending a worker that is stuck. Its supervisor starts another one, and the broker delivers again what it held.

use anyhow::Context;
use ops::process::Stuck;
use std::time::Duration;

/// How often we look.
pub(crate) const CHECK: Duration = Duration::from_secs(10);

/// How long nothing may move at least before a worker counts as stuck.
const SHORTEST: Duration = Duration::from_mins(5);

/// How long nothing may move, when one request to the API may take `api_timeout`. To look at one resource takes two calls
/// and a question afterwards, the calls with two retries each: seven requests and the waits between them.
pub(crate) fn limit(api_timeout: Duration) -> Duration {
    SHORTEST.max(api_timeout.saturating_mul(10))
}

/// Looks every `period`, and fails when the worker is stuck.
///
/// # Errors
/// What it is stuck on. Otherwise this does not return.
pub(crate) async fn watch(stuck: impl Fn() -> Option<Stuck>, period: Duration) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(period).await;
        if let Some(stuck) = stuck() {
            return Err(stuck).context("stuck; ending, so that what is held here is delivered to others");
        }
    }
}

#[cfg(test)]
mod tests;
