//! Workers that audit, faster than real ones.

use crate::bench::{Bench, Duty, Platform, processing, publisher};
use anyhow::Result;
use broker::{Consumer, ConsumerConfig, Control, Hands, LinkState, MarkerDelivery, Queue};
use chrono::{DateTime, TimeDelta, Utc};
use ops::audit::{Auditor, Config, Eyes, Metrics};
use ops::process::{self, Processor};
use std::sync::Arc;
use std::time::Duration;
use testkit::clock::real_now;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The real time: an audit compares instants of several processes.
#[derive(Debug)]
pub(super) struct RealClock;

impl domain::Clock for RealClock {
    fn now(&self) -> DateTime<Utc> {
        real_now()
    }
}

/// Audits every few hundred milliseconds.
pub(super) fn hasty() -> Config {
    Config {
        interval: Duration::from_millis(300),
        poll: Duration::from_millis(30),
        report_every: Duration::from_millis(30),
        grace: TimeDelta::milliseconds(200),
        clocks_differ: TimeDelta::milliseconds(50),
        silent_after: TimeDelta::seconds(3),
        most_unpublished: 20_000,
        chunk: 100,
    }
}

/// A worker as the binary would run it. Dropping it is a crash.
pub(super) struct Hand {
    _tasks: JoinSet<()>,
    _publisher: Duty,
    _markers: Option<mpsc::Receiver<MarkerDelivery>>,
    pub(super) hands: Hands,
    pub(super) metrics: Metrics,
}

/// How a worker of these tests differs from others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    pub(super) name: &'static str,
    pub(super) prefetch: u16,
    pub(super) concurrency: usize,
}

impl Hand {
    pub(super) async fn start(
        bench: &Bench,
        platform: &Platform,
        traits: Traits,
        audit: Config,
    ) -> Result<Self> {
        let (publisher, duty) = publisher(&bench.broker, Duration::from_secs(5)).await?;
        let (drain, close) = (CancellationToken::new(), CancellationToken::new());
        let (markers, markers_seen) = mpsc::channel(16);
        let config = ConsumerConfig::new(Queue::Work, traits.prefetch);
        let consumer = Consumer::new(bench.broker.clone(), config, broker::Metrics::default());
        let consumer = consumer.with_markers(markers);
        let hands = consumer.hands();
        let eyes = Eyes { hands: hands.clone(), link: consumer.state(), markers: markers_seen };
        let (sink, deliveries) = mpsc::channel(usize::from(traits.prefetch));
        let config = process::Config {
            concurrency: traits.concurrency,
            worker: traits.name.to_owned(),
            ..processing()?
        };
        let processor = Processor::new(
            config,
            bench.store.clone(),
            platform.client()?,
            publisher,
            Arc::clone(&bench.clock) as _,
            || 0.5,
            bench.metrics.clone(),
        );
        let metrics = Metrics::default();
        let auditor = auditor(bench, traits.name, audit, metrics.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(consumer.run(sink, Control::running(drain.clone(), close.clone())));
        tasks.spawn(processor.run(deliveries, drain));
        tasks.spawn(auditor.run(eyes, close));
        Ok(Self { _tasks: tasks, _publisher: duty, _markers: None, hands, metrics })
    }
}

fn auditor(bench: &Bench, name: &str, audit: Config, metrics: Metrics) -> Auditor {
    Auditor::new(
        audit,
        bench.store.clone(),
        bench.broker.clone(),
        Arc::new(RealClock),
        name.to_owned(),
        metrics,
    )
}

/// An auditor without a worker: it places and decides, and says nothing of what it holds.
pub(super) fn lone_auditor(bench: &Bench, audit: Config) -> Duty {
    let (markers_kept_open, markers) = mpsc::channel(1);
    let (_link_kept_down, link) = watch::channel(LinkState::Down);
    let auditor = auditor(bench, "lone", audit, Metrics::default());
    Duty::start(|stop| async move {
        auditor.run(Eyes { hands: Hands::default(), link, markers }, stop).await;
        drop(markers_kept_open);
    })
}

/// The value of a metric as the listener would show it.
pub(super) fn metric(metrics: &Metrics, name: &str) -> Result<f64> {
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(Ok(0.0), |value| Ok(value.trim().parse()?))
}
