//! Waiting for a state instead of sleeping for a while.

use anyhow::{Error, Result, anyhow};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// Short enough not to be felt, long enough not to disturb what is being watched.
const PAUSE: Duration = Duration::from_millis(20);

/// Calls `probe` until it answers `Ok(Some(_))`, and returns that value.
///
/// `Ok(None)` and `Err(_)` both mean "not yet"; the last error is kept, because it is what a reader of the failure
/// wants to see. A probe therefore best describes what it found:
///
/// ```no_run
/// # async fn depth() -> anyhow::Result<u32> { Ok(3) }
/// # async fn example() -> anyhow::Result<()> {
/// use std::time::Duration;
///
/// testkit::eventually(Duration::from_secs(5), "three messages in the queue", async || {
///     let depth = depth().await?;
///     anyhow::ensure!(depth == 3, "depth is {depth}");
///     Ok(Some(()))
/// })
/// .await
/// # }
/// ```
///
/// # Errors
/// When `deadline` has passed (a probe that hangs is cut off there, too): says what was awaited, for how long, and
/// the state that was seen last.
pub async fn eventually<T>(
    deadline: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + deadline;
    let mut last_state: Option<Error> = None;
    loop {
        match timeout_at(end, probe()).await {
            Ok(Ok(Some(value))) => return Ok(value),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => last_state = Some(error),
            Err(_elapsed) => {
                last_state.get_or_insert_with(|| anyhow!("the probe itself did not return"));
            }
        }
        if Instant::now() + PAUSE >= end {
            let state = last_state.unwrap_or_else(|| anyhow!("the probe said only: not yet"));
            return Err(state.context(format!("waited {deadline:?} in vain for: {what}; last state")));
        }
        sleep(PAUSE).await;
    }
}
