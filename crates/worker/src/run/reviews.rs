//! Questions of waiting sessions, looked up and put to whoever is to answer.

use super::duties::Parts;
use domain::{EffectKind, Policy};
use ops::effects::Runner;
use ops::reviews::Reviewer;
use runtime::Tasks;
use std::sync::Arc;

/// Reviews that one worker is at, at the same time.
const CONCURRENCY: u16 = 16;

/// Starts reviewing.
pub(super) fn spawn(parts: &Parts, policy: Arc<Policy>, tasks: &Tasks) {
    let reviewer = Reviewer::new(parts.store.clone(), parts.claude.clone(), Arc::clone(&parts.clock), policy);
    let runner = Runner::new(
        EffectKind::Review,
        reviewer,
        parts.store.clone(),
        Arc::clone(&parts.clock),
        rand::random::<f64>,
        CONCURRENCY,
    );
    let stop = tasks.shutdown().soft().clone();
    tasks.spawn_critical("reviewer", async move {
        runner.run(stop).await;
        Ok(())
    });
}
