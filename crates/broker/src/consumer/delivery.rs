//! A message in the hands of a consumer, and the three things it can say about it.

use super::hands::{Hands, Hold};
use crate::message::{self, Hints, Marker};
use crate::{Error, Malformed, Message};
use bytes::Bytes;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// One delivered message.
#[derive(Debug)]
pub struct Delivery {
    /// The message, or why it is none of ours.
    pub message: Result<Message, Malformed>,
    /// The body as it came, also of a malformed message. Shares its memory with the message's payload.
    pub payload: Bytes,
    /// Whether the broker gave it to somebody before who did not acknowledge it.
    pub redelivered: bool,
    /// The broker's own notes on it.
    pub hints: Hints,
    /// Settles the delivery.
    pub acker: Acker,
}

/// A delivered marker.
#[derive(Debug)]
pub struct MarkerDelivery {
    /// The marker.
    pub marker: Marker,
    /// When it was delivered.
    pub delivered: Instant,
    /// Settles the delivery.
    pub acker: Acker,
}

impl MarkerDelivery {
    /// The delivery of a message that was recognized as a marker.
    pub(super) fn new(
        marker: Marker,
        delivery: lapin::message::Delivery,
        unsettled: Arc<AtomicUsize>,
    ) -> Self {
        unsettled.fetch_add(1, Ordering::Relaxed);
        let acker = Acker { inner: delivery.acker, unsettled, _hold: None };
        Self { marker, delivered: Instant::now(), acker }
    }
}

impl Delivery {
    pub(super) fn new(
        delivery: lapin::message::Delivery,
        unsettled: Arc<AtomicUsize>,
        hands: &Hands,
    ) -> Self {
        unsettled.fetch_add(1, Ordering::Relaxed);
        let hold = hands.take(delivery.redelivered);
        let payload = Bytes::from(delivery.data);
        Self {
            message: message::decode(&delivery.properties, payload.clone()),
            payload,
            redelivered: delivery.redelivered,
            hints: Hints::of(&delivery.properties),
            acker: Acker { inner: delivery.acker, unsettled, _hold: Some(hold) },
        }
    }
}

/// Settles one delivery, once. Dropping it settles nothing: the broker keeps the message for this session and delivers
/// it again when the session ends.
#[derive(Debug)]
#[must_use = "a delivery that is not settled keeps a place of the prefetch until the session ends"]
pub struct Acker {
    inner: lapin::Acker,
    unsettled: Arc<AtomicUsize>,
    _hold: Option<Hold>,
}

impl Acker {
    /// The message is done with; the broker forgets it.
    ///
    /// # Errors
    /// When the session of the delivery is over. The broker delivers the message again, nothing else is to be done.
    pub async fn ack(self) -> Result<(), Error> {
        let sent = self.inner.ack(BasicAckOptions::default()).await;
        self.settled(matches!(sent, Ok(true)))
    }

    /// The broker moves the message to [`Queue::Dead`](crate::Queue::Dead), where the queue has dead letters.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn reject_to_dead(self) -> Result<(), Error> {
        let sent = self.inner.reject(BasicRejectOptions { requeue: false }).await;
        self.settled(matches!(sent, Ok(true)))
    }

    /// The broker takes the message back and delivers it again, to anybody. Before RabbitMQ 4.3 that counts toward the
    /// queue's delivery limit, so it is for giving work back and not for waiting.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn requeue(self) -> Result<(), Error> {
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
