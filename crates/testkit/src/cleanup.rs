//! Cleaning up on a server when a value is dropped.

use anyhow::{Result, anyhow};
use std::time::Duration;

/// Longer than any clean-up takes; a test must not hang because its server went away.
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs clean-up work to its end, from a synchronous `drop`.
///
/// On a thread of its own with a runtime of its own: a drop may happen inside a runtime, where blocking on a future is
/// not allowed, or while a runtime is going down.
pub(crate) fn block_on_own_thread<F>(work: F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await })?
    });
    thread.join().map_err(|_panic| anyhow!("the clean-up panicked"))?
}
