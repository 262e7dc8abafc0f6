//! A message in the hands of a consumer, and the three things it can say about it.

use crate::message::{self, Hints};
use crate::{Error, Malformed, Message};
use bytes::Bytes;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// One delivered event.
#[derive(Debug)]
pub struct Delivery {
    /// The message, or why it is none of ours.
    pub message: Result<Message, Malformed>,
    /// The event's payload; of a malformed message the whole body as it came.
    pub payload: Bytes,
    /// Whether the broker gave it to somebody before who did not acknowledge it.
    pub redelivered: bool,
    /// The broker's own notes on it.
    pub hints: Hints,
    /// Settles the delivery.
    pub acker: Acker,
}

impl Delivery {
    /// The events of one message, each to be settled on its own.
    pub(super) fn all(delivery: lapin::message::Delivery, unsettled: Arc<AtomicUsize>) -> VecDeque<Self> {
        unsettled.fetch_add(1, Ordering::Relaxed);
        let payload = Bytes::from(delivery.data);
        let hints = Hints::of(&delivery.properties);
        let redelivered = delivery.redelivered;
        let whole = Whole { inner: delivery.acker, unsettled };
        let one = |message: Result<Message, Malformed>, payload: Bytes, acker: Acker| Self {
            message,
            payload,
            redelivered,
            hints: hints.clone(),
            acker,
        };
        match message::decode_all(&delivery.properties, payload.clone()) {
            Ok(messages) if messages.len() > 1 => {
                let bundle = Bundle::new(whole, messages.len());
                let part = |message: Message| {
                    let payload = message.payload.clone();
                    one(Ok(message), payload, Acker(Settles::Part(Arc::clone(&bundle))))
                };
                messages.into_iter().map(part).collect()
            }
            Ok(messages) => {
                let nothing = || Malformed { why: "it holds no event".to_owned() };
                let message = messages.into_iter().next().ok_or_else(nothing);
                [one(message, payload, Acker(Settles::Whole(whole)))].into()
            }
            Err(malformed) => [one(Err(malformed), payload, Acker(Settles::Whole(whole)))].into(),
        }
    }
}

/// Settles one delivery, once. Dropping it settles nothing: the broker keeps the message for this session and delivers
/// it again when the session ends.
#[derive(Debug)]
#[must_use = "a delivery that is not settled keeps a place of the prefetch until the session ends"]
pub struct Acker(Settles);

#[derive(Debug)]
enum Settles {
    /// A message.
    Whole(Whole),
    /// One event of a message that carries several.
    Part(Arc<Bundle>),
}

impl Acker {
    /// Whether the message carries other events as well, which this acker must not decide about.
    #[must_use]
    pub const fn is_part(&self) -> bool {
        matches!(self.0, Settles::Part(_))
    }

    /// The event is done with; the broker forgets the message with its last event.
    ///
    /// # Errors
    /// When the session of the delivery is over. The broker delivers the message again, nothing else is to be done.
    pub async fn ack(self) -> Result<(), Error> {
        match self.0 {
            Settles::Whole(whole) => whole.ack().await,
            Settles::Part(bundle) => bundle.settle(false).await,
        }
    }

    /// The broker moves the message to [`Queue::Dead`](crate::Queue::Dead), where the queue has dead letters. Not for
    /// a [part](Self::is_part): that one is published there by itself, and then acknowledged.
    ///
    /// # Errors
    /// As [`ack`](Self::ack); and for a part, which stays unsettled.
    pub async fn reject_to_dead(self) -> Result<(), Error> {
        match self.0 {
            Settles::Whole(whole) => whole.reject_to_dead().await,
            Settles::Part(_) => Err(Error::PartOfBundle),
        }
    }

    /// The broker takes the message back and delivers it again, to anybody. Before RabbitMQ 4.3 that counts toward the
    /// queue's delivery limit, so it is for giving work back and not for waiting. Of a message with several events all
    /// come back, when the last one of them is settled; those that were done with by then are known as such.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn requeue(self) -> Result<(), Error> {
        match self.0 {
            Settles::Whole(whole) => whole.requeue().await,
            Settles::Part(bundle) => bundle.settle(true).await,
        }
    }
}

/// A message that carries several events: settled when all of them are.
#[derive(Debug)]
struct Bundle {
    unsettled: AtomicUsize,
    requeue: AtomicBool,
    whole: Mutex<Option<Whole>>,
}

impl Bundle {
    fn new(whole: Whole, events: usize) -> Arc<Self> {
        Arc::new(Self {
            unsettled: AtomicUsize::new(events),
            requeue: AtomicBool::new(false),
            whole: Mutex::new(Some(whole)),
        })
    }

    async fn settle(&self, requeue: bool) -> Result<(), Error> {
        if requeue {
            self.requeue.store(true, Ordering::Relaxed);
        }
        // AcqRel: whoever comes last sees what the others wished.
        if self.unsettled.fetch_sub(1, Ordering::AcqRel) > 1 {
            return Ok(());
        }
        let whole = self.whole.lock().ok().and_then(|mut whole| whole.take());
        match whole {
            Some(whole) if self.requeue.load(Ordering::Relaxed) => whole.requeue().await,
            Some(whole) => whole.ack().await,
            None => Ok(()),
        }
    }
}

/// A message as the broker counts it.
#[derive(Debug)]
struct Whole {
    inner: lapin::Acker,
    unsettled: Arc<AtomicUsize>,
}

impl Whole {
    async fn ack(self) -> Result<(), Error> {
        let sent = self.inner.ack(BasicAckOptions::default()).await;
        self.settled(matches!(sent, Ok(true)))
    }

    async fn reject_to_dead(self) -> Result<(), Error> {
        let sent = self.inner.reject(BasicRejectOptions { requeue: false }).await;
        self.settled(matches!(sent, Ok(true)))
    }

    async fn requeue(self) -> Result<(), Error> {
        // From 4.3 on a nack does not count toward the delivery limit, while a reject does.
        let sent = self.inner.nack(BasicNackOptions { requeue: true, multiple: false }).await;
        self.settled(matches!(sent, Ok(true)))
    }

    /// The client library says `Ok(false)` when the channel was gone before, and an error when it went meanwhile.
    fn settled(self, sent: bool) -> Result<(), Error> {
        self.unsettled.fetch_sub(1, Ordering::Relaxed);
        if sent { Ok(()) } else { Err(Error::DeliveryExpired) }
    }
}
