//! Looking again and again while something goes on.

use anyhow::Result;
use std::pin::pin;
use std::time::Duration;

/// Takes a sample at once and after each `every`, until `work` is done. While a sample is taken, `work` itself is not
/// polled: it should have its own tasks.
pub(crate) async fn sample_while<T, S>(
    work: impl Future<Output = T>,
    every: Duration,
    mut sample: impl AsyncFnMut() -> Result<S>,
) -> Result<(T, Vec<S>)> {
    let mut work = pin!(work);
    let mut clock = tokio::time::interval(every);
    let mut samples = Vec::new();
    loop {
        tokio::select! {
            done = &mut work => return Ok((done, samples)),
            _ = clock.tick() => samples.push(sample().await?),
        }
    }
}
