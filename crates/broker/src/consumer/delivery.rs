//! What a consumer is handed.

use super::acker::{Acker, Whole};
use super::hands::Hands;
use crate::message::{self, Hints, Marker};
use crate::{Malformed, Message};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

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
        let acker = Acker::whole(Whole::new(delivery.acker, unsettled, None));
        Self { marker, delivered: Instant::now(), acker }
    }
}

impl Delivery {
    /// The events of one message, each to be settled on its own.
    pub(super) fn all(
        delivery: lapin::message::Delivery,
        unsettled: Arc<AtomicUsize>,
        hands: &Hands,
    ) -> VecDeque<Self> {
        let whole = Whole::new(delivery.acker, unsettled, Some(hands.take(delivery.redelivered)));
        let body = Bytes::from(delivery.data);
        let hints = Hints::of(&delivery.properties);
        let redelivered = delivery.redelivered;
        let one = |message: Result<Message, Malformed>, acker: Acker| {
            let payload = message.as_ref().map_or_else(|_| body.clone(), |message| message.payload.clone());
            Self { message, payload, redelivered, hints: hints.clone(), acker }
        };
        match message::decode_all(&delivery.properties, body.clone()) {
            Ok(messages) if messages.len() > 1 => {
                let ackers = Acker::parts(whole, messages.len());
                messages.into_iter().zip(ackers).map(|(message, acker)| one(Ok(message), acker)).collect()
            }
            Ok(messages) => {
                let nothing = || Malformed { why: "it holds no event".to_owned() };
                [one(messages.into_iter().next().ok_or_else(nothing), Acker::whole(whole))].into()
            }
            Err(malformed) => [one(Err(malformed), Acker::whole(whole))].into(),
        }
    }
}
