//! What the broker crate counts.

use crate::{PublishError, Queue};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters of one process. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    published: Family<PublishLabels, Counter>,
    reconnects: Family<LinkLabels, Counter>,
    connected: Family<LinkLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PublishLabels {
    queue: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LinkLabels {
    direction: &'static str,
}

/// Which way the messages of a connection flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Publish,
    Consume,
    /// Of the queue `replies`: a worker consumes two queues, over a connection each.
    ConsumeReplies,
}

impl Direction {
    pub(crate) const fn of_consumer(queue: Queue) -> Self {
        match queue {
            Queue::Work | Queue::Dead => Self::Consume,
            Queue::Replies => Self::ConsumeReplies,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Consume => "consume",
            Self::ConsumeReplies => "consume_replies",
        }
    }
}

impl Metrics {
    /// Names the metrics `broker_…` in the registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "broker_published",
            "Messages handed to RabbitMQ, by queue and outcome",
            self.published.clone(),
        );
        registry.register(
            "broker_reconnects",
            "Sessions with RabbitMQ that ended in an error and are rebuilt, by direction",
            self.reconnects.clone(),
        );
        registry.register(
            "broker_connected",
            "Whether there is a working session with RabbitMQ (1) or not (0), by direction",
            self.connected.clone(),
        );
    }

    pub(crate) fn count_publish(&self, queue: Queue, outcome: &Result<(), PublishError>) {
        let outcome = outcome.as_ref().map_or_else(PublishError::as_str, |()| "confirmed");
        self.published.get_or_create(&PublishLabels { queue: queue.as_str(), outcome }).inc();
    }

    pub(crate) fn count_reconnect(&self, direction: Direction) {
        self.reconnects.get_or_create(&LinkLabels { direction: direction.as_str() }).inc();
    }

    pub(crate) fn set_connected(&self, direction: Direction, connected: bool) {
        self.connected.get_or_create(&LinkLabels { direction: direction.as_str() }).set(i64::from(connected));
    }
}
