//! What a worker does beside processing messages. Each duty is safe in any number of workers: it claims rows, or one
//! worker at a time is elected.

use super::reconcile;
use super::reviews::{self, Reviewing};
use broker::Broker;
use domain::Clock;
use ops::dead::Settler;
use runtime::Tasks;
use std::sync::Arc;
use store::Store;

/// What duties are made of.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) broker: Broker,
    pub(super) claude: claude::Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reviewing: Reviewing,
    /// The name of this worker.
    pub(super) worker: String,
    pub(super) alerts: super::alerts::Settings,
    pub(super) reconcile: reconcile::Settings,
}

/// Starts all duties. They end when a shutdown begins: what they leave is claimed again.
pub(super) fn spawn(parts: &Parts, tasks: &Tasks) {
    settler(parts, tasks);
    super::alerts::spawn(parts, tasks);
    super::transcripts::spawn(parts, tasks);
    reconcile::spawn(parts, tasks);
    reviews::spawn(parts, tasks);
}

fn settler(parts: &Parts, tasks: &Tasks) {
    let settler = Settler::new(
        parts.store.clone(),
        parts.broker.clone(),
        Arc::clone(&parts.clock),
        parts.worker.clone(),
    );
    let stop = tasks.shutdown().soft().clone();
    tasks.spawn_critical("settler", async move {
        settler.run(stop).await;
        Ok(())
    });
}
