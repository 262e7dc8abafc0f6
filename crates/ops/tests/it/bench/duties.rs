//! The long-running duties, as the binaries would run them.

use super::{Bench, PATIENCE, Platform, message};
use anyhow::{Context, Result};
use broker::{Broker, Consumer, ConsumerConfig, Control, Flow, LinkState, Publisher, PublisherConfig, Queue};
use chrono::TimeDelta;
use domain::{Clock, EventStatus, RetryPolicy};
use ops::process::{Config, Processor, Progress};
use ops::reconcile::Waker;
use std::sync::Arc;
use std::time::Duration;
use store::{NewEvent, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Something that runs until it is told to stop. Dropping it kills it.
pub(crate) struct Duty {
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
}

impl Duty {
    pub(crate) fn start<F>(run: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(run(stop.clone()));
        Self { stop, tasks }
    }

    /// Stops it and waits until it has ended by itself.
    pub(crate) async fn stopped_within(mut self, limit: Duration) -> Result<()> {
        self.stop.cancel();
        timeout(limit, async {
            while let Some(ended) = self.tasks.join_next().await {
                ended?;
            }
            anyhow::Ok(())
        })
        .await
        .context("it still runs")?
    }
}

/// A publisher that is connected, with the task behind it.
pub(crate) async fn publisher(broker: &Broker, confirm_timeout: Duration) -> Result<(Publisher, Duty)> {
    let config = PublisherConfig { confirm_timeout, ..PublisherConfig::default() };
    let (publisher, task) = Publisher::new(broker.clone(), config, broker::Metrics::default());
    let duty = Duty::start(|stop| task.run(stop));
    let mut state = publisher.state();
    timeout(PATIENCE, state.wait_for(|state| *state == LinkState::Up)).await.context("no connection")??;
    Ok((publisher, duty))
}

/// How the worker of a test works: three tries, ten and sixty seconds apart, without jitter.
pub(crate) fn processing() -> Result<Config> {
    Ok(Config {
        concurrency: 8,
        intake: 100,
        apply: 16,
        policy: RetryPolicy::new(3, vec![TimeDelta::seconds(10), TimeDelta::seconds(60)])?,
        grace: TimeDelta::seconds(10),
        worker: "worker-1".to_owned(),
    })
}

/// A running worker. Dropping it is a crash: what it had not acknowledged goes back to the queue.
pub(crate) struct Worker {
    drain: CancellationToken,
    close: CancellationToken,
    tasks: JoinSet<()>,
    _publisher: Duty,
    pub(crate) progress: Progress,
}

impl Worker {
    pub(crate) async fn start(bench: &Bench, platform: &Platform) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        Self::with(bench, platform, processing()?, bench.store.clone(), clock, 200).await
    }

    /// One that names the sessions it has to do with.
    pub(crate) async fn waking(bench: &Bench, platform: &Platform, waker: Waker) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        let (claude, store) = (platform.client()?, bench.store.clone());
        Self::build(bench, claude, processing()?, store, (clock, Some(waker)), 200).await
    }

    /// One whose Claude API is wherever the client says.
    pub(crate) async fn of_client(bench: &Bench, claude: claude::Client) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        Self::build(bench, claude, processing()?, bench.store.clone(), (clock, None), 200).await
    }

    pub(crate) async fn with(
        bench: &Bench,
        platform: &Platform,
        config: Config,
        store: Store,
        clock: Arc<dyn Clock>,
        prefetch: u16,
    ) -> Result<Self> {
        Self::build(bench, platform.client()?, config, store, (clock, None), prefetch).await
    }

    async fn build(
        bench: &Bench,
        claude: claude::Client,
        config: Config,
        store: Store,
        (clock, waker): (Arc<dyn Clock>, Option<Waker>),
        prefetch: u16,
    ) -> Result<Self> {
        let (publisher, duty) = publisher(&bench.broker, Duration::from_secs(5)).await?;
        let consumer = Consumer::new(
            bench.broker.clone(),
            ConsumerConfig::new(Queue::Work, prefetch),
            broker::Metrics::default(),
        );
        let (sink, deliveries) = mpsc::channel(usize::from(prefetch));
        let processor =
            Processor::new(config, store, claude, publisher, clock, || 0.5, bench.metrics.clone());
        let processor = match waker {
            Some(waker) => processor.waking(waker),
            None => processor,
        };
        let control = Control {
            flow: processor.flow(),
            drain: CancellationToken::new(),
            close: CancellationToken::new(),
        };
        let (drain, close) = (control.drain.clone(), control.close.clone());
        let progress = processor.progress();
        let mut tasks = JoinSet::new();
        tasks.spawn(consumer.run(sink, control));
        tasks.spawn(processor.run(deliveries, drain.clone()));
        Ok(Self { drain, close, tasks, _publisher: duty, progress })
    }

    /// Stops it when the queue is empty and stays so: what it had been sent and not taken goes back.
    pub(crate) async fn stopped_with_nothing_left(
        mut self,
        bench: &Bench,
        platform: &Platform,
    ) -> Result<()> {
        loop {
            bench.until_ready(Queue::Work, 0).await?;
            self.stopped().await?;
            if testkit::broker::depth(&bench.queues.work()).await? == 0 {
                return Ok(());
            }
            self = Self::start(bench, platform).await?;
        }
    }

    /// Finishes what it has, as after a SIGTERM.
    pub(crate) async fn stopped(mut self) -> Result<()> {
        self.drain.cancel();
        timeout(PATIENCE, async {
            self.tasks.join_next().await.context("no task")??;
            self.close.cancel();
            self.tasks.join_next().await.context("no task")??;
            anyhow::Ok(())
        })
        .await
        .context("the worker still runs")?
    }
}

impl Bench {
    /// Stores events and has a worker process them, one after the other.
    pub(crate) async fn process(&self, platform: &Platform, events: &[NewEvent]) -> Result<()> {
        self.stored(events).await?;
        let worker = Worker::start(self, platform).await?;
        for event in events {
            self.publish(Queue::Work, &[message(event)]).await?;
            let pending = EventStatus::Pending.as_str();
            self.until(event.event.id.as_str(), "finished", |detail| detail.row.status != pending).await?;
        }
        worker.stopped_with_nothing_left(self, platform).await
    }

    /// A relay that looks every few milliseconds and publishes to the test's own queues.
    pub(crate) async fn relay(&self) -> Result<Duty> {
        let (publisher, mut duty) = publisher(&self.broker, Duration::from_secs(5)).await?;
        let stop = duty.stop.clone();
        duty.tasks.spawn(self.relay_with(publisher, Duration::from_millis(20)).run(stop));
        Ok(duty)
    }

    pub(crate) fn relay_with(&self, publisher: Publisher, poll: Duration) -> ops::relay::Relay {
        let config = ops::relay::Config { poll, ..ops::relay::Config::default() };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        ops::relay::Relay::new(
            config,
            self.store.clone(),
            publisher,
            clock,
            self.metrics.clone(),
            Arc::default(),
        )
    }

    /// Publishes messages as they are and waits for their confirms.
    pub(crate) async fn publish(&self, queue: Queue, messages: &[broker::Message]) -> Result<()> {
        let (publisher, duty) = publisher(&self.broker, Duration::from_secs(10)).await?;
        for outcome in publisher.publish_all(queue, messages).await {
            outcome?;
        }
        duty.stopped_within(PATIENCE).await
    }

    /// The same, with several events to a message.
    pub(crate) async fn publish_bundled(&self, queue: Queue, messages: &[broker::Message]) -> Result<()> {
        let (publisher, duty) = publisher(&self.broker, Duration::from_secs(10)).await?;
        for outcome in publisher.publish_bundled(queue, messages).await {
            outcome?;
        }
        duty.stopped_within(PATIENCE).await
    }

    /// Takes so many events of the work queue and dies with them.
    pub(crate) async fn die_with(&self, events: usize) -> Result<()> {
        let (_flow, flow) = watch::channel(Flow::Running);
        let control = Control { flow, drain: CancellationToken::new(), close: CancellationToken::new() };
        let config = ConsumerConfig::new(Queue::Work, 100);
        let consumer = Consumer::new(self.broker.clone(), config, broker::Metrics::default());
        let (sink, mut deliveries) = mpsc::channel(events);
        let _duty = Duty::start(|_| consumer.run(sink, control));
        for _ in 0..events {
            timeout(PATIENCE, deliveries.recv()).await?.context("no delivery")?;
        }
        Ok(())
    }

    /// Takes all messages of the work queue and rejects them, as a worker that cannot read them.
    pub(crate) async fn reject_all(&self, expected: usize) -> Result<()> {
        let (_flow, flow) = watch::channel(Flow::Running);
        let control = Control { flow, drain: CancellationToken::new(), close: CancellationToken::new() };
        let close = control.close.clone();
        let config = ConsumerConfig::new(Queue::Work, 100);
        let consumer = Consumer::new(self.broker.clone(), config, broker::Metrics::default());
        let (sink, mut deliveries) = mpsc::channel(100);
        let duty = Duty::start(|_| consumer.run(sink, control));
        for _ in 0..expected {
            let delivery = timeout(PATIENCE, deliveries.recv()).await?.context("no delivery")?;
            delivery.acker.reject_to_dead().await?;
        }
        close.cancel();
        duty.stopped_within(PATIENCE).await
    }
}
