//! What the budget counts. The names are listed in docs/telemetry.md.

use domain::CallClass;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Class of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Class {
    class: &'static str,
}

/// Counters of one process. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    waits: Family<Class, Counter>,
    waited_seconds: Family<Class, Counter<f64, AtomicU64>>,
    stops: Counter,
}

impl Metrics {
    /// Names the metrics in the registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "worker_api_budget_waits",
            "Requests that had to wait for the budget, by class",
            self.waits.clone(),
        );
        registry.register(
            "worker_api_budget_wait_seconds",
            "Time that requests have waited for the budget, by class",
            self.waited_seconds.clone(),
        );
        registry.register(
            "worker_api_budget_stops",
            "Times that this worker had all workers stop because of a 429",
            self.stops.clone(),
        );
    }

    pub(super) fn count_wait(&self, class: CallClass, time: Duration) {
        let label = Class { class: class.as_str() };
        self.waits.get_or_create(&label).inc();
        self.waited_seconds.get_or_create(&label).inc_by(time.as_secs_f64());
    }

    pub(super) fn count_stop(&self) {
        self.stops.inc();
    }
}
