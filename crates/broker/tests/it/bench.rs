//! One test's queues, proxy, publishers and consumers.

use anyhow::{Context, Result, ensure};
use broker::{
    AmqpUrl, Broker, Consumer, ConsumerConfig, Control, Delivery, Flow, Inspector, LinkState, Message,
    Metrics, Publisher, PublisherConfig, Queue, QueueNames,
};
use chrono::DateTime;
use std::ops::Deref;
use std::time::Duration;
use testkit::proxy::TcpProxy;
use testkit::{QueuePrefix, eventually};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Long enough for a reconnect with its pause on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Queues of its own behind a proxy of its own. Cleans up: the queues are deleted when it is dropped.
pub(crate) struct Bench {
    pub(crate) queues: QueuePrefix,
    pub(crate) proxy: TcpProxy,
    pub(crate) broker: Broker,
}

impl Bench {
    pub(crate) async fn new() -> Result<Self> {
        let queues = QueuePrefix::new();
        let (proxy, url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
        let mut broker = Broker::new(url.parse::<AmqpUrl>()?, QueueNames::new(queues.as_str())?);
        // The shortest there is, so that a half-open connection is noticed within two seconds.
        broker.heartbeat = Duration::from_secs(1);
        broker.connect_timeout = Duration::from_secs(3);
        Ok(Self { queues, proxy, broker })
    }

    /// An inspector that does not go through the proxy.
    pub(crate) async fn inspector(&self) -> Result<Inspector> {
        let direct = Broker { url: testkit::broker::url()?.parse()?, ..self.broker.clone() };
        Ok(Inspector::connect(&direct).await?)
    }

    /// A publisher that is connected.
    pub(crate) async fn publisher(&self, config: PublisherConfig) -> Result<RunningPublisher> {
        let (publisher, task) = Publisher::new(self.broker.clone(), config, Metrics::default());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(task.run(stop.clone()));
        until(&mut publisher.state(), LinkState::Up).await?;
        Ok(RunningPublisher { publisher, stop, tasks })
    }

    /// A consumer that is connected, with room for `room` deliveries in its sink.
    pub(crate) async fn consumer(&self, config: ConsumerConfig, room: usize) -> Result<RunningConsumer> {
        let consumer = Consumer::new(self.broker.clone(), config, Metrics::default());
        let mut state = consumer.state();
        let (flow, flow_receiver) = watch::channel(Flow::Running);
        let control =
            Control { flow: flow_receiver, drain: CancellationToken::new(), close: CancellationToken::new() };
        let (drain, close) = (control.drain.clone(), control.close.clone());
        let (sink, deliveries) = mpsc::channel(room);
        let mut tasks = JoinSet::new();
        tasks.spawn(consumer.run(sink, control));
        until(&mut state, LinkState::Up).await?;
        Ok(RunningConsumer { deliveries, state, flow, drain, close, tasks })
    }

    /// Publishes `count` messages named `event-0` and so on.
    pub(crate) async fn fill(&self, queue: Queue, count: u32) -> Result<()> {
        let publisher = self.publisher(PublisherConfig::default()).await?;
        let messages: Vec<Message> = (0..count).map(|number| message(&format!("event-{number}"))).collect();
        for outcome in publisher.publish_all(queue, &messages).await {
            outcome?;
        }
        Ok(())
    }

    /// Waits until so many messages are ready in the queue, and then watches that it stays so for a while.
    pub(crate) async fn settles_at(&self, queue: Queue, expected: u32) -> Result<()> {
        let name = match queue {
            Queue::Work => self.queues.work(),
            Queue::Dead => self.queues.dead(),
            Queue::Replies => self.queues.replies(),
        };
        let what = format!("{expected} messages ready in {queue}");
        eventually(PATIENCE, &what, async || {
            let depth = testkit::broker::depth(&name).await?;
            ensure!(depth == expected, "there are {depth}");
            Ok(Some(()))
        })
        .await?;
        let quiet_until = Instant::now() + Duration::from_millis(700);
        let mut look = interval(Duration::from_millis(100));
        while Instant::now() < quiet_until {
            look.tick().await;
            let depth = testkit::broker::depth(&name).await?;
            ensure!(depth == expected, "{expected} ready in {queue} became {depth}");
        }
        Ok(())
    }
}

pub(crate) struct RunningPublisher {
    publisher: Publisher,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
}

impl Deref for RunningPublisher {
    type Target = Publisher;

    fn deref(&self) -> &Publisher {
        &self.publisher
    }
}

impl RunningPublisher {
    pub(crate) async fn until(&self, state: LinkState) -> Result<()> {
        until(&mut self.state(), state).await
    }
}

pub(crate) struct RunningConsumer {
    pub(crate) deliveries: mpsc::Receiver<Delivery>,
    pub(crate) state: watch::Receiver<LinkState>,
    pub(crate) flow: watch::Sender<Flow>,
    pub(crate) drain: CancellationToken,
    pub(crate) close: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
}

impl RunningConsumer {
    pub(crate) async fn next(&mut self) -> Result<Delivery> {
        timeout(PATIENCE, self.deliveries.recv())
            .await
            .context("no delivery came")?
            .context("the sink is closed")
    }

    pub(crate) async fn take(&mut self, count: usize) -> Result<Vec<Delivery>> {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(self.next().await?);
        }
        Ok(taken)
    }

    /// Waits until the run has ended by itself.
    pub(crate) async fn ended(&mut self) -> Result<()> {
        timeout(PATIENCE, self.tasks.join_next())
            .await
            .context("the consumer still runs")?
            .context("no task")??;
        Ok(())
    }
}

pub(crate) async fn until(state: &mut watch::Receiver<LinkState>, wanted: LinkState) -> Result<()> {
    let waiting = state.wait_for(|state| *state == wanted);
    timeout(PATIENCE, waiting).await.with_context(|| format!("the link never became {wanted:?}"))??;
    Ok(())
}

pub(crate) fn message(event_id: &str) -> Message {
    Message {
        event_id: event_id.to_owned(),
        endpoint: "default".to_owned(),
        payload: format!("{{\"id\":\"{event_id}\"}}").into(),
        content_type: Some("application/json".to_owned()),
        received_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap_or_default(),
        generation: 1,
        tries: 2,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        failure: None,
    }
}

pub(crate) fn event_id(delivery: &Delivery) -> Result<String> {
    Ok(delivery.message.as_ref().map_err(Clone::clone)?.event_id.clone())
}
