//! The duties about alerts.

use super::duties::Parts;
use domain::EffectKind;
use ops::alerts::{AlertEffects, Metrics, Resolver};
use ops::effects::Runner;
use runtime::Tasks;
use std::sync::Arc;

/// Alerts whose details are fetched at the same time.
const CONCURRENCY: u16 = 4;

/// Starts raising and resolving alerts.
pub(super) fn spawn(parts: &Parts, metrics: &Metrics, tasks: &Tasks) {
    let soft = tasks.shutdown().soft();
    let handler = AlertEffects::new(
        parts.store.clone(),
        parts.claude.clone(),
        Arc::clone(&parts.clock),
        metrics.clone(),
    );
    let runner = Runner::new(
        EffectKind::Alert,
        handler,
        parts.store.clone(),
        Arc::clone(&parts.clock),
        rand::random::<f64>,
        CONCURRENCY,
    );
    let stop = soft.clone();
    tasks.spawn_critical("alerts", async move {
        runner.run(stop).await;
        Ok(())
    });
    let resolver = Resolver::new(parts.store.clone(), Arc::clone(&parts.clock), metrics.clone());
    let stop = soft.clone();
    tasks.spawn_critical("alert resolver", async move {
        resolver.run(stop).await;
        Ok(())
    });
}
