//! What is counted about replies. All names are listed in docs/telemetry.md.

use chrono::{DateTime, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use store::ReplyFigures;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Counters and gauges of one worker. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    replies: Family<Outcome, Counter>,
    requeued: Counter,
    open: Gauge,
    oldest_age: Gauge,
}

impl Metrics {
    /// Names the metrics in the registry of a worker.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "worker_replies",
            "Messages of the queue replies, by what became of them",
            self.replies.clone(),
        );
        registry.register(
            "worker_requeued_replies",
            "Replies that RabbitMQ had lost and this worker queued again",
            self.requeued.clone(),
        );
        registry.register("worker_open_replies", "Replies that are to be posted", self.open.clone());
        registry.register(
            "worker_oldest_reply_age_seconds",
            "Time since the oldest of them was decided",
            self.oldest_age.clone(),
        );
    }

    pub(super) fn count(&self, outcome: &'static str) {
        self.replies.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn count_requeued(&self, replies: usize) {
        self.requeued.inc_by(u64::try_from(replies).unwrap_or(u64::MAX));
    }

    pub(super) fn show(&self, figures: &ReplyFigures, now: DateTime<Utc>) {
        self.open.set(figures.open);
        self.oldest_age.set(figures.oldest_at.map_or(0, |at| (now - at).num_seconds().max(0)));
    }
}
