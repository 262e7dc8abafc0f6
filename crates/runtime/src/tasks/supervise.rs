//! Duties that must go on, whatever happens to them.

use super::{Tasks, caught};
use crate::{Backoff, Error};
use std::future::Future;
use std::time::{Duration, Instant};
use telemetry::{Chain, LogLimiter};
use tokio::time::sleep;
use tracing::{info, warn};

/// How often the same failure of a duty is worth a log line.
const COMPLAINT_PERIOD: Duration = Duration::from_secs(30);

impl Tasks {
    /// Spawns a duty that is begun again, after a delay, whenever it fails, panics or ends, until the shutdown begins.
    /// A duty that ran for a while starts over with short delays. Identical failures are logged twice a minute.
    pub fn supervise<M, F>(&self, task: &'static str, backoff: Backoff, mut begin: M)
    where
        M: FnMut() -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send,
    {
        let shutdown = self.shutdown.clone();
        let duty = async move {
            let mut complaints = LogLimiter::new(COMPLAINT_PERIOD);
            let mut failures = 0;
            loop {
                let started_at = Instant::now();
                let result = caught(task, async { begin().await }).await;
                if shutdown.has_begun() {
                    if let Err(error) = result {
                        info!(task, error = %Chain(&error), "duty failed during the shutdown");
                    }
                    return;
                }
                let error = result.err().unwrap_or(Error::TaskEnded { task });
                failures = if started_at.elapsed() >= backoff.healthy_after() { 1 } else { failures + 1 };
                let delay = backoff.delay(failures, rand::random());
                let text = Chain(&error).to_string();
                if let Some(suppressed) = complaints.admit(&text, Instant::now()) {
                    warn!(task, error = text, failures, suppressed, ?delay, "duty failed, will begin again");
                }
                if shutdown.or_soft(sleep(delay)).await.is_none() {
                    return;
                }
            }
        };
        self.spawn(task, duty);
    }
}
