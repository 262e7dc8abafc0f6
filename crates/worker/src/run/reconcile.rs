//! The duty of finding what the platform failed to deliver.

use super::duties::Parts;
use chrono::TimeDelta;
use ops::process::Processor;
use ops::reconcile::{Metrics, Reconciler, Timer, Wake};
use runtime::{SystemClock, Tasks};
use std::sync::Arc;
use store::Store;

/// How this worker reconciles.
pub(super) struct Settings {
    /// How often; `None`: never.
    pub(super) interval: Option<TimeDelta>,
    pub(super) metrics: Metrics,
}

/// How long a session is left alone before its history is looked at: deliveries overtake each other by seconds.
const REST: TimeDelta = TimeDelta::seconds(10);

/// Has whoever applies events name their sessions to somebody who looks for gaps in their histories.
pub(super) fn watched(
    processor: Processor,
    settings: &Settings,
    store: &Store,
    claude: &claude::Client,
    tasks: &Tasks,
) -> Processor {
    if settings.interval.is_none() {
        return processor;
    }
    let (store, claude) = (store.clone(), claude.clone());
    let reconciler = Reconciler::new(store, claude, Arc::new(SystemClock), settings.metrics.clone());
    let (waker, wake) = Wake::new(reconciler, REST);
    let stop = tasks.shutdown().soft().clone();
    tasks.spawn_critical("gaps", async move {
        wake.run(stop).await;
        Ok(())
    });
    processor.waking(waker)
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
