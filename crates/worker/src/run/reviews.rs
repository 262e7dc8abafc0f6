//! Questions of waiting sessions, looked up and put to whoever is to answer.

use super::duties::Parts;
use domain::EffectKind;
use ops::effects::Runner;
use ops::executors::{Executor, Executors};
use ops::reviews::{Metrics, Reviewer, Rules, Watch};
use runtime::Tasks;
use settings::ReviewPolicy;
use std::sync::Arc;

/// Reviews that a worker is at, at the same time. One whose executor takes its time keeps one of the places.
const CONCURRENCY: u16 = 16;

/// Who answers, and what is counted.
pub(super) struct Reviewing {
    pub(super) rules: Rules,
    pub(super) metrics: Metrics,
}

impl Reviewing {
    /// As the policy file says.
    ///
    /// # Errors
    /// When executors cannot be called at all.
    pub(super) fn new(policy: ReviewPolicy) -> Result<Self, callout::Error> {
        let executors = policy.executors.into_iter().map(|(name, executor)| {
            let settings::Executor { url, secret, timeout, plan } = executor;
            (name, Executor { url: url.reveal().to_owned(), secret, timeout, plan })
        });
        let rules =
            Rules { executors: Executors::new(executors.collect())?, policy: Arc::new(policy.policy) };
        Ok(Self { rules, metrics: Metrics::default() })
    }
}

/// Starts reviewing.
pub(super) fn spawn(parts: &Parts, tasks: &Tasks) {
    let Reviewing { rules, metrics } = &parts.reviewing;
    let reviewer = Reviewer::new(
        parts.store.clone(),
        parts.claude.clone(),
        Arc::clone(&parts.clock),
        rand::random::<f64>,
        metrics.clone(),
        rules.clone(),
    );
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
    let watch = Watch::new(parts.store.clone(), Arc::clone(&parts.clock), metrics.clone());
    let stop = tasks.shutdown().soft().clone();
    tasks.spawn_critical("review watch", async move {
        watch.run(stop).await;
        Ok(())
    });
}
