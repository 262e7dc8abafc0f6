//! What the reconciler counts. All names are listed in docs/telemetry.md.

use chrono::TimeDelta;
use domain::ResourceKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A kind of resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// How a comparison ended, or what a look showed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Counters of one process. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    compared: Family<Kind, Counter>,
    queued: Family<Kind, Counter>,
    passes: Family<Outcome, Counter>,
    gaps: Family<Outcome, Counter>,
    age: Gauge,
}

impl Metrics {
    /// Names the metrics in the registry of a worker.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "worker_reconcile_compared",
            "Resources that this worker compared with the API's lists, by kind",
            self.compared.clone(),
        );
        registry.register(
            "worker_reconcile_queued",
            "Events that were never delivered and that this worker queued, by kind",
            self.queued.clone(),
        );
        registry.register(
            "worker_reconcile_passes",
            "Comparisons of all kinds that this worker began, by how they ended",
            self.passes.clone(),
        );
        registry.register(
            "worker_reconcile_gaps",
            "Sessions whose history was impossible, by what their own list of events showed",
            self.gaps.clone(),
        );
        registry.register(
            "worker_reconcile_age_seconds",
            "Time since all kinds were last compared to the end, by any worker",
            self.age.clone(),
        );
    }

    pub(super) fn count_compared(&self, kind: ResourceKind, resources: usize) {
        let resources = u64::try_from(resources).unwrap_or(u64::MAX);
        self.compared.get_or_create(&Kind { kind: kind.as_str() }).inc_by(resources);
    }

    pub(super) fn count_queued(&self, kind: ResourceKind) {
        self.queued.get_or_create(&Kind { kind: kind.as_str() }).inc();
    }

    pub(super) fn count_pass(&self, outcome: &'static str) {
        self.passes.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn count_gap(&self, outcome: &'static str) {
        self.gaps.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn show_age(&self, age: TimeDelta) {
        self.age.set(age.num_seconds().max(0));
    }
}
