//! What the use cases count. All names are listed in docs/telemetry.md.

use domain::ResourceKind;
use domain::breaker::Cause;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// One label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    outcome: &'static str,
}

/// A store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Keeper {
    store: &'static str,
}

/// Class of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Class {
    class: &'static str,
}

/// Why a worker pauses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PauseCause {
    cause: &'static str,
}

/// What an event of an unknown type is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct About {
    resource: &'static str,
}

/// Operation and outcome of a call of the API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ApiCall {
    operation: &'static str,
    outcome: String,
}

/// Counters of one process. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Metrics {
    deliveries: Family<Outcome, Counter>,
    accepted: Family<Keeper, Counter>,
    processed: Family<Outcome, Counter>,
    unknown_types: Family<About, Counter>,
    failed_tries: Family<Class, Counter>,
    relayed: Family<Outcome, Counter>,
    api_calls: Family<ApiCall, Counter>,
    accept_batch: Histogram,
    apply_batch: Histogram,
    freshness: Histogram,
    paused: Family<PauseCause, Gauge>,
    pauses: Family<PauseCause, Counter>,
    paused_seconds: Family<PauseCause, Counter<f64, AtomicU64>>,
}

/// From a tenth of a second to the two hours after which somebody should have been told long ago.
const FRESHNESS_SECONDS: [f64; 12] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0];

impl Default for Metrics {
    fn default() -> Self {
        Self {
            deliveries: Family::default(),
            accepted: Family::default(),
            processed: Family::default(),
            unknown_types: Family::default(),
            failed_tries: Family::default(),
            relayed: Family::default(),
            api_calls: Family::default(),
            accept_batch: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            apply_batch: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            freshness: Histogram::new(FRESHNESS_SECONDS),
            paused: Family::default(),
            pauses: Family::default(),
            paused_seconds: Family::default(),
        }
    }
}

impl Metrics {
    /// Names the metrics of ingest in the registry.
    pub fn register_ingest(&self, registry: &mut Registry) {
        registry.register(
            "ingest_deliveries",
            "Deliveries, by what they were answered",
            self.deliveries.clone(),
        );
        registry.register(
            "ingest_accepted",
            "Deliveries made durable, by the store that has them",
            self.accepted.clone(),
        );
        registry.register(
            "ingest_relayed",
            "Messages published from the outbox, by outcome",
            self.relayed.clone(),
        );
        registry.register("ingest_accept_batch_events", "Events per commit", self.accept_batch.clone());
    }

    /// Names the metrics of the worker in the registry.
    pub fn register_worker(&self, registry: &mut Registry) {
        registry.register(
            "worker_events",
            "Messages dealt with, by what became of them",
            self.processed.clone(),
        );
        registry.register(
            "worker_unknown_types",
            "Events of types that the table does not know, by the kind of resource they are about",
            self.unknown_types.clone(),
        );
        registry.register("worker_failed_tries", "Failed tries, by class", self.failed_tries.clone());
        registry.register(
            "worker_api_calls",
            "Requests to the Claude API, by operation and outcome",
            self.api_calls.clone(),
        );
        registry.register("worker_apply_batch_events", "Events per transaction", self.apply_batch.clone());
        registry.register(
            "worker_freshness_seconds",
            "Time from the event (by the sender's clock) until it was applied",
            self.freshness.clone(),
        );
        registry.register(
            "worker_paused",
            "Whether nothing is fetched (1), by the cause of the pause",
            self.paused.clone(),
        );
        registry.register(
            "worker_pauses",
            "Pauses that began, a failed probe included, by cause",
            self.pauses.clone(),
        );
        registry.register(
            "worker_paused_seconds",
            "Time in which nothing was fetched, by the cause of the pause",
            self.paused_seconds.clone(),
        );
    }

    /// Counts a delivery by what it was answered.
    pub fn count_delivery(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn count_accepted(&self, store: &'static str, deliveries: usize) {
        let deliveries = u64::try_from(deliveries).unwrap_or(u64::MAX);
        self.accepted.get_or_create(&Keeper { store }).inc_by(deliveries);
    }

    pub(crate) fn count_processed(&self, outcome: &'static str) {
        self.processed.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn count_unknown_type(&self, resource: Option<ResourceKind>) {
        let resource = resource.map_or("none", ResourceKind::as_str);
        self.unknown_types.get_or_create(&About { resource }).inc();
    }

    pub(crate) fn count_failed_try(&self, class: domain::FailureClass) {
        self.failed_tries.get_or_create(&Class { class: class.as_str() }).inc();
    }

    pub(crate) fn count_pause(&self, cause: Cause) {
        self.pauses.get_or_create(&PauseCause { cause: cause.as_str() }).inc();
    }

    pub(crate) fn count_paused(&self, cause: Cause, time: chrono::TimeDelta) {
        let seconds = time.as_seconds_f64().max(0.0);
        self.paused_seconds.get_or_create(&PauseCause { cause: cause.as_str() }).inc_by(seconds);
    }

    /// Every cause has its series from the start, so that an alert on it has data.
    pub(crate) fn show_pause(&self, now: Option<Cause>) {
        for cause in Cause::ALL {
            let gauge = self.paused.get_or_create(&PauseCause { cause: cause.as_str() });
            gauge.set(i64::from(now == Some(cause)));
        }
    }

    /// Why nothing is fetched at the moment; `None` while there is no pause.
    pub(crate) fn paused_for(&self) -> Option<Cause> {
        Cause::ALL
            .into_iter()
            .find(|cause| self.paused.get_or_create(&PauseCause { cause: cause.as_str() }).get() == 1)
    }

    pub(crate) fn count_relayed(&self, outcome: &'static str, messages: u64) {
        self.relayed.get_or_create(&Outcome { outcome }).inc_by(messages);
    }

    /// Counts a request to the API.
    pub fn count_api_call(&self, attempt: &claude::Attempt) {
        let outcome = attempt.outcome.label().into_owned();
        self.api_calls.get_or_create(&ApiCall { operation: attempt.operation, outcome }).inc();
    }

    #[expect(clippy::cast_precision_loss, reason = "batches are small")]
    pub(crate) fn observe_accept_batch(&self, events: usize) {
        self.accept_batch.observe(events as f64);
    }

    #[expect(clippy::cast_precision_loss, reason = "batches are small")]
    pub(crate) fn observe_apply_batch(&self, events: usize) {
        self.apply_batch.observe(events as f64);
    }

    pub(crate) fn observe_freshness(&self, age: chrono::TimeDelta) {
        self.freshness.observe(age.as_seconds_f64().max(0.0));
    }
}
