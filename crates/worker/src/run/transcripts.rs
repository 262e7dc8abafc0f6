//! The duty of fetching transcripts.

use super::duties::Parts;
use domain::EffectKind;
use ops::effects::Runner;
use ops::transcripts::{Archivist, InPostgres};
use runtime::Tasks;
use std::sync::Arc;

/// Transcripts that a worker fetches at the same time. They are long, and nobody waits for them.
const CONCURRENCY: u16 = 2;

/// Starts fetching transcripts.
pub(super) fn spawn(parts: &Parts, tasks: &Tasks) {
    let (store, clock) = (parts.store.clone(), Arc::clone(&parts.clock));
    let storage = InPostgres::new(store.clone());
    let archivist = Archivist::new(store.clone(), storage, parts.claude.clone(), Arc::clone(&clock));
    let runner = Runner::new(EffectKind::Archive, archivist, store, clock, rand::random::<f64>, CONCURRENCY);
    let stop = tasks.shutdown().soft().clone();
    tasks.spawn_critical("transcripts", async move {
        runner.run(stop).await;
        Ok(())
    });
}
