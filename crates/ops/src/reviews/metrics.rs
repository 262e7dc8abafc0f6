//! What reviewing counts and shows. All names are listed in docs/telemetry.md.

use chrono::{DateTime, Utc};
use domain::ReviewStatus;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use store::ReviewFigures;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decision {
    route: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    executor: String,
    outcome: &'static str,
}

/// Counters and gauges of reviewing. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    waiting: Family<Status, Gauge>,
    oldest_open_age: Gauge,
    overdue: Gauge,
    decisions: Family<Decision, Counter>,
    calls: Family<Call, Counter>,
}

impl Metrics {
    /// Names the metrics in the registry of a worker.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("worker_reviews", "Reviews that are not over, by status", self.waiting.clone());
        registry.register(
            "worker_oldest_open_review_age_seconds",
            "Age of the oldest review that waits for a person",
            self.oldest_open_age.clone(),
        );
        registry.register(
            "worker_overdue_reviews",
            "Reviews that a person should have answered by now",
            self.overdue.clone(),
        );
        registry.register(
            "worker_review_decisions",
            "Reviews that this worker's policy or executors decided",
            self.decisions.clone(),
        );
        registry.register("worker_executor_calls", "Calls of executors by this worker", self.calls.clone());
    }

    pub(super) fn count_decision(&self, route: &'static str, outcome: &'static str) {
        self.decisions.get_or_create(&Decision { route, outcome }).inc();
    }

    pub(super) fn count_call(&self, executor: &str, outcome: &'static str) {
        self.calls.get_or_create(&Call { executor: executor.to_owned(), outcome }).inc();
    }

    pub(super) fn show(&self, figures: &ReviewFigures, now: DateTime<Utc>) {
        for status in ReviewStatus::ALL.into_iter().filter(|status| !status.is_over()) {
            let status = status.as_str();
            let count =
                figures.by_status.iter().find(|(name, _)| name == status).map_or(0, |(_, count)| *count);
            self.waiting.get_or_create(&Status { status }).set(count);
        }
        let age = figures.oldest_open_at.map_or(0, |at| (now - at).num_seconds().max(0));
        self.oldest_open_age.set(age);
        self.overdue.set(figures.overdue);
    }
}
