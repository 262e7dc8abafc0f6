//! The duty of finding what the platform failed to deliver.

use super::duties::Parts;
use chrono::TimeDelta;
use ops::reconcile::{Metrics, Reconciler, Timer};
use runtime::Tasks;
use std::sync::Arc;

/// How this worker reconciles.
pub(super) struct Settings {
    /// How often; `None`: never.
    pub(super) interval: Option<TimeDelta>,
    pub(super) metrics: Metrics,
}

/// Starts the timer, where one is wanted.
pub(super) fn spawn(parts: &Parts, tasks: &Tasks) {
    let Settings { interval: Some(interval), metrics } = &parts.reconcile else { return };
    let reconciler =
        Reconciler::new(parts.store.clone(), parts.claude.clone(), Arc::clone(&parts.clock), metrics.clone());
    let timer = Timer::new(reconciler, *interval);
    let stop = tasks.shutdown().soft().clone();
    tasks.spawn_critical("reconciler", async move {
        timer.run(stop).await;
        Ok(())
    });
}
