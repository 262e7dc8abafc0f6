//! One consuming connection, from its prefetch to its end.

use super::care::{Care, is_suspect};
use super::control::{Phase, Steering};
use super::watchdog::{Look, Watchdog};
use super::{ConsumerConfig, Delivery, Hands, MarkerDelivery};
use crate::link::Link;
use crate::{Broker, Error, Marker};
use futures_util::StreamExt as _;
use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicQosOptions,
    QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};

/// How often it is looked whether a message that is handled alone is settled.
const SETTLED_CHECK: Duration = Duration::from_millis(5);

/// The open session.
#[derive(Debug)]
pub(super) struct Session {
    link: Link,
    queue_name: ShortString,
    config: ConsumerConfig,
    unsettled: Arc<AtomicUsize>,
    hands: Hands,
    care: Care,
    markers: Option<mpsc::Sender<MarkerDelivery>>,
}

impl Session {
    /// Connects, declares the queues and sets the prefetch.
    pub(super) async fn open(
        broker: &Broker,
        config: &ConsumerConfig,
        hands: &Hands,
        care: &Care,
        markers: Option<&mpsc::Sender<MarkerDelivery>>,
    ) -> Result<Self, Error> {
        let link = Link::open(broker, "consume").await?;
        let session = Self {
            link,
            queue_name: broker.queues.routing_key(config.queue),
            config: config.clone(),
            unsettled: Arc::default(),
            hands: hands.clone(),
            care: care.clone(),
            markers: markers.cloned(),
        };
        let prefetch = session.link.channel.basic_qos(config.prefetch, BasicQosOptions::default());
        session.in_time("set the prefetch", prefetch).await?;
        Ok(session)
    }

    pub(super) async fn close(self) {
        self.link.close().await;
    }

    /// Resolves when the connection has ended.
    pub(super) fn link_ended(&self) -> impl Future<Output = Error> {
        self.link.ended()
    }

    /// Hands deliveries out for as long as the phase is running, then gives back what is left.
    pub(super) async fn consume(&self, steering: &Steering) -> Result<(), Error> {
        if !self.care.is_over() {
            self.begin_with_care(steering).await?;
        }
        let mut deliveries = self.subscribe().await?;
        let mut held = VecDeque::new();
        let mut watchdog = Watchdog::default();
        let period = self.config.progress_check;
        let mut check = interval_at(tokio::time::Instant::now() + period, period);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let over = steering.until_not(Phase::Running);
        tokio::pin!(over);
        loop {
            tokio::select! {
                // The sink's room comes first: a delivery is taken from the stream only when the last one is gone.
                Ok(room) = steering.sink.reserve(), if !held.is_empty() => {
                    if let Some(delivery) = held.pop_front() {
                        room.send(delivery);
                    }
                }
                next = deliveries.next(), if held.is_empty() => {
                    let delivery = next
                        .ok_or(Error::ConsumptionEnded { queue: self.config.queue })?
                        .map_err(Error::operation("deliver messages"))?;
                    let unsettled = Arc::clone(&self.unsettled);
                    if let Some(marker) = Marker::decode(&delivery.properties, &delivery.data) {
                        self.put_aside(MarkerDelivery::new(marker, delivery, unsettled)).await?;
                    } else {
                        held = Delivery::all(delivery, unsettled, &self.hands);
                    }
                    watchdog.delivered();
                    check.reset();
                }
                _ = check.tick() => {
                    let ready = self.ready().await?;
                    let look = Look {
                        ready,
                        unsettled: self.unsettled.load(Ordering::Relaxed),
                        prefetch: self.config.prefetch,
                    };
                    // While the sink is full, it is us who do not take what the client library already has.
                    if held.is_empty() && watchdog.is_stuck(look) {
                        return Err(Error::NothingDelivered { queue: self.config.queue, ready });
                    }
                }
                () = &mut over => break,
            }
        }
        self.unsubscribe(deliveries, held).await
    }

    /// Hands out what stands at the head of the queue, one message at a time, up to the first that did not come back again
    /// and again. That one comes on top of the prefetch until it is settled.
    async fn begin_with_care(&self, steering: &Steering) -> Result<(), Error> {
        while steering.phase() == Phase::Running {
            let first = self.link.channel.basic_get(self.queue_name.clone(), BasicGetOptions::default());
            let first = self.in_time("take the first message", first).await?.map(|got| got.delivery);
            let suspect = first.as_ref().is_some_and(|first| is_suspect(&first.properties));
            if let Some(first) = first {
                self.hand_out_first(first, suspect, steering).await?;
            }
            if !suspect {
                self.care.end();
                break;
            }
            while self.unsettled.load(Ordering::Relaxed) > 0 && steering.phase() == Phase::Running {
                sleep(SETTLED_CHECK).await;
            }
        }
        Ok(())
    }

    async fn hand_out_first(
        &self,
        delivery: lapin::message::Delivery,
        suspect: bool,
        steering: &Steering,
    ) -> Result<(), Error> {
        let unsettled = Arc::clone(&self.unsettled);
        if let Some(marker) = Marker::decode(&delivery.properties, &delivery.data) {
            let marker = MarkerDelivery::new(marker, delivery, unsettled);
            // Whoever audits would keep it for as long as it likes, and there will be another one.
            return if suspect { marker.acker.ack().await } else { self.put_aside(marker).await };
        }
        if suspect && self.care.is_news() {
            tracing::warn!(
                queue = %self.config.queue,
                "messages came back again and again, perhaps because workers died of one of them; they are handled one at a time"
            );
        }
        let over = steering.until_not(Phase::Running);
        tokio::pin!(over);
        for delivery in Delivery::all(delivery, unsettled, &self.hands) {
            tokio::select! {
                Ok(room) = steering.sink.reserve() => room.send(delivery),
                () = &mut over => delivery.acker.requeue().await?,
            }
        }
        Ok(())
    }

    /// Gives a marker to whoever audits, without waiting for room.
    async fn put_aside(&self, marker: MarkerDelivery) -> Result<(), Error> {
        let Some(markers) = &self.markers else { return marker.acker.ack().await };
        match markers.try_send(marker) {
            Ok(()) => Ok(()),
            Err(refused) => refused.into_inner().acker.ack().await,
        }
    }

    async fn subscribe(&self) -> Result<lapin::Consumer, Error> {
        let subscription = self.link.channel.basic_consume(
            self.queue_name.clone(),
            ShortString::try_new(self.config.tag.as_str()).unwrap_or_default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        self.in_time("start the consumption", subscription).await
    }

    /// Ends the consumption and gives back what was delivered but not handed out: a paused consumer must not sit on
    /// messages that others could work on.
    async fn unsubscribe(
        &self,
        mut deliveries: lapin::Consumer,
        held: VecDeque<Delivery>,
    ) -> Result<(), Error> {
        let cancelling = self.link.channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default());
        self.in_time("end the consumption", cancelling).await?;
        for delivery in held {
            delivery.acker.requeue().await?;
        }
        // The stream ends behind the last delivery that arrived before the cancellation was confirmed.
        while let Some(delivery) = deliveries.next().await {
            delivery
                .map_err(Error::operation("deliver messages"))?
                .nack(BasicNackOptions { requeue: true, multiple: false })
                .await
                .map_err(Error::operation("take messages back"))?;
        }
        Ok(())
    }

    /// How many messages wait in the queue. Also shows whether the broker still answers on this channel.
    async fn ready(&self) -> Result<u32, Error> {
        let look = self.link.channel.queue_declare(
            self.queue_name.clone(),
            QueueDeclareOptions::durable().passive(),
            FieldTable::default(),
        );
        self.in_time("look at the queue", look).await.map(|queue| queue.message_count())
    }

    async fn in_time<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, Error> {
        let limit = self.config.answer_timeout;
        match timeout(limit, work).await {
            Ok(result) => result.map_err(Error::operation(operation)),
            Err(_elapsed) => Err(Error::Timeout { operation, limit }),
        }
    }
}
