//! Posting decisions: a consumer of its own, and the duty that finds what RabbitMQ has lost.

use super::duties::Parts;
use broker::{Consumer, ConsumerConfig, Control, Flow, Queue};
use domain::RetryPolicy;
use ops::replies::{Config, Keeper, KeeperConfig, Metrics, Poster};
use runtime::Tasks;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Replies that a worker holds at the same time. There are few, and those of one session are wanted together.
const PREFETCH: u16 = 100;

/// What posting needs beside the parts of all duties.
pub(super) struct Posting {
    pub(super) policy: RetryPolicy,
    /// How long replies are this worker's own.
    pub(super) lease: Duration,
    /// Whether messages are wanted at all: while the Claude API is away, they wait in the queue.
    pub(super) flow: watch::Receiver<Flow>,
    pub(super) metrics: Metrics,
    pub(super) broker_metrics: broker::Metrics,
}

/// Starts posting. On a shutdown it finishes what it has begun; the connection outlives that, so that it is acknowledged.
pub(super) fn spawn(parts: &Parts, posting: Posting, tasks: &Tasks) {
    let Posting { policy, lease, flow, metrics, broker_metrics } = posting;
    let (soft, hard) = (tasks.shutdown().soft().clone(), tasks.shutdown().hard().clone());
    let consumer =
        Consumer::new(parts.broker.clone(), ConsumerConfig::new(Queue::Replies, PREFETCH), broker_metrics);
    let (sink, deliveries) = mpsc::channel(usize::from(PREFETCH));
    let control = Control { flow, drain: soft.clone(), close: hard };
    tasks.spawn_lasting("replies consumer", async move {
        consumer.run(sink, control).await;
        Ok(())
    });
    let poster = Poster::new(
        Config { lease, ..Config::new(policy, parts.worker.clone()) },
        parts.store.clone(),
        parts.claude.clone(),
        Arc::clone(&parts.clock),
        rand::random::<f64>,
        metrics.clone(),
    );
    let drain = soft.clone();
    tasks.spawn_critical("replies", async move {
        poster.run(deliveries, drain).await;
        Ok(())
    });
    let keeper = Keeper::new(
        KeeperConfig::default(),
        parts.store.clone(),
        parts.broker.clone(),
        Arc::clone(&parts.clock),
        metrics,
    );
    tasks.spawn_critical("replies keeper", async move {
        keeper.run(soft).await;
        Ok(())
    });
}
