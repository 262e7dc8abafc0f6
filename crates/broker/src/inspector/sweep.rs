//! One pass over the dead letters that may stop at any moment.
//!
//! AMQP cannot look at a message without taking it. Taking and requeueing has two traps on a quorum queue: requeued
//! messages return to the head, so a small prefetch would show the same few again and again, and each return counts as
//! a delivery, which a delivery limit punishes. Holding all of them unacknowledged until the end would need an
//! unlimited prefetch and as much memory as the queue is long.
//!
//! So a letter that stays is moved instead: a copy goes to the tail, and when the broker has confirmed the copy, the
//! original is acknowledged. Each copy names its pass, and a pass that meets its own copy has seen everything: behind it
//! are only copies and newcomers. (The depth at the beginning would not do: the broker's own count lags by seconds, and
//! somebody else may take letters at the same time.) A death in between leaves a letter twice, which the next pass with
//! its look into the database tidies up, and never loses one. What was delivered and not decided returns to the head
//! when the channel closes; until it is back, another pass does not see it.

use super::in_time;
use crate::message::{self, Hints, text};
use crate::{Error, Malformed, Marker, Message};
use bytes::Bytes;
use failpoints::failpoint;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use std::time::Duration;
use tokio::time::timeout;

/// How long to wait for a letter before concluding that somebody else took the rest.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// How long to wait for one more letter before a batch is handed out unfilled.
const NEXT_WAIT: Duration = Duration::from_millis(250);

/// Persistent, whatever the original was.
const PERSISTENT: u8 = 2;

/// Notes that the broker makes for each delivery; on a copy they would be somebody else's.
const DELIVERY_NOTES: [&str; 2] = ["x-delivery-count", "x-acquired-count"];

/// Names the pass that made a copy.
const PASS: &str = "holdfast-sweep";

/// What is to become of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays in the queue.
    Keep,
    /// It is over and leaves the queue.
    Remove,
}

/// A message in the dead-letter queue.
#[derive(Debug)]
pub struct DeadLetter {
    /// The message, or why it is none of ours.
    pub message: Result<Message, Malformed>,
    /// Whether it is a marker, which means nothing here: it was delivered too often, or moved by hand.
    pub is_marker: bool,
    /// The events of a message that carries several; empty for the usual letter. Bundles are never published as dead
    /// letters: it came here by the broker's delivery limit or by hand.
    pub bundled: Vec<Message>,
    /// The body as it came.
    pub payload: Bytes,
    /// The broker's own notes, such as from which queue it came and why.
    pub hints: Hints,
    properties: BasicProperties,
    acker: lapin::Acker,
}

/// What a pass has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepCounts {
    /// Letters handed out.
    pub seen: u32,
    /// Letters moved to the tail.
    pub kept: u32,
    /// Letters removed.
    pub removed: u32,
}

/// A pass over the dead letters that were there when it began. Take a batch, decide, settle it, and so on until there
/// is none; then [`finish`](Self::finish). Dropping it at any point is safe.
#[derive(Debug)]
pub struct Sweep {
    channel: Channel,
    letters: lapin::Consumer,
    queue_name: ShortString,
    batch_size: u32,
    /// How many letters there are by the broker's count: until they were seen, it is worth waiting for the next one.
    expected: u32,
    /// How many are to be looked at at most.
    limit: u32,
    ended: bool,
    counts: SweepCounts,
}

impl Sweep {
    pub(super) async fn begin(
        channel: Channel,
        queue_name: ShortString,
        expected: u32,
        limit: u32,
        prefetch: u16,
    ) -> Result<Self, Error> {
        let prefetch = prefetch.max(1);
        in_time("switch confirms on", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        in_time("set the prefetch", channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let consuming = channel.basic_consume(
            queue_name.clone(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let letters = in_time("start the consumption", consuming).await?;
        let counts = SweepCounts::default();
        let batch_size = prefetch.into();
        Ok(Self { channel, letters, queue_name, batch_size, expected, limit, ended: false, counts })
    }

    /// The next letters, at most as many as the prefetch. `None` when all were seen, or others took the rest.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<DeadLetter>>, Error> {
        let mut batch = Vec::new();
        let mut seen = 0;
        while !self.ended && seen < self.batch_size && self.counts.seen + seen < self.limit {
            let more_expected = self.counts.seen + seen < self.expected;
            let wait = if batch.is_empty() && more_expected { FIRST_WAIT } else { NEXT_WAIT };
            match timeout(wait, self.letters.next()).await {
                Ok(Some(letter)) => {
                    let letter = letter.map_err(Error::operation("deliver dead letters"))?;
                    if self.is_own_copy(&letter.properties) {
                        // Not settled: it returns to the queue with the end of the pass.
                        self.ended = true;
                        break;
                    }
                    batch.push(DeadLetter::new(letter));
                    seen += 1;
                }
                Ok(None) => return Err(Error::ConnectionLost),
                Err(_elapsed) => break,
            }
        }
        self.counts.seen += seen;
        Ok((!batch.is_empty()).then_some(batch))
    }

    /// Whether the pass has seen all letters. One that ended because nothing came for a while has not: somebody else holds
    /// the rest, or the queue is between two leaders.
    #[must_use]
    pub const fn saw_everything(&self) -> bool {
        self.ended || self.counts.seen >= self.expected
    }

    /// Carries out what was decided. Letters of the batch that are left out return to the queue when the sweep ends.
    ///
    /// # Errors
    /// When the connection is gone, or a copy was not confirmed. No original was acknowledged then; copies that did
    /// arrive are duplicates.
    pub async fn settle(
        &mut self,
        decided: impl IntoIterator<Item = (DeadLetter, Verdict)>,
    ) -> Result<(), Error> {
        let mut counts = self.counts;
        let mut ackers = Vec::new();
        let mut copies = Vec::new();
        for (letter, verdict) in decided {
            match verdict {
                Verdict::Keep => {
                    copies.push((copy_of(letter.properties, &self.letters.tag()), letter.payload));
                    counts.kept += 1;
                }
                Verdict::Remove => counts.removed += 1,
            }
            ackers.push(letter.acker);
        }
        self.publish(&copies).await?;
        failpoint!("settle.copied");
        let acking = join_all(ackers.iter().map(|acker| acker.ack(BasicAckOptions::default())));
        let acks = in_time("acknowledge dead letters", async { Ok(acking.await) }).await?;
        // `false` means that the channel was gone before.
        if !acks.iter().all(|ack| matches!(ack, Ok(true))) {
            return Err(Error::DeliveryExpired);
        }
        failpoint!("settle.removed");
        self.counts = counts;
        Ok(())
    }

    fn is_own_copy(&self, properties: &BasicProperties) -> bool {
        let pass = properties.headers().as_ref().and_then(|headers| headers.inner().get(PASS)).and_then(text);
        pass.is_some_and(|pass| pass == self.letters.tag().as_str())
    }

    /// Puts the copies at the tail and waits for all confirms.
    async fn publish(&self, copies: &[(BasicProperties, Bytes)]) -> Result<(), Error> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publishing = copies.iter().map(async |(properties, payload)| {
            let name = self.queue_name.clone();
            self.channel
                .basic_publish(ShortString::default(), name, options, payload, properties.clone())
                .await?
                .await
        });
        let confirms = in_time("confirm dead letters", async { Ok(join_all(publishing).await) }).await?;
        // All or nothing, so it does not matter to which confirm the client library attached a returned message.
        if confirms.iter().all(|confirm| matches!(confirm, Ok(Confirmation::Ack(None)))) {
            Ok(())
        } else {
            Err(Error::CopyUnconfirmed)
        }
    }

    /// Ends the pass: everything that was delivered and not settled returns to the queue.
    ///
    /// # Errors
    /// When the channel cannot be closed; the letters return when the connection ends, then.
    pub async fn finish(self) -> Result<SweepCounts, Error> {
        in_time("close the channel", self.channel.close(200, "OK".into())).await?;
        Ok(self.counts)
    }
}

impl DeadLetter {
    fn new(delivery: lapin::message::Delivery) -> Self {
        let payload = Bytes::from(delivery.data);
        let (message, bundled) = match message::decode_all(&delivery.properties, payload.clone()) {
            Ok(mut messages) if messages.len() == 1 => (messages.pop().ok_or_else(no_event), Vec::new()),
            Ok(messages) => (Err(no_event()), messages),
            Err(malformed) => (Err(malformed), Vec::new()),
        };
        Self {
            is_marker: Marker::decode(&delivery.properties, &payload).is_some(),
            message,
            bundled,
            payload,
            hints: Hints::of(&delivery.properties),
            properties: delivery.properties,
            acker: delivery.acker,
        }
    }
}

fn no_event() -> Malformed {
    Malformed { why: "it does not hold one event".to_owned() }
}

/// The properties of a letter for its copy: all of them, `x-death` included, but for the notes of this delivery, and
/// with the name of the pass.
fn copy_of(properties: BasicProperties, pass: &ShortString) -> BasicProperties {
    let headers: FieldTable = properties
        .headers()
        .iter()
        .flatten()
        .filter(|(name, _)| !DELIVERY_NOTES.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .chain([(PASS.into(), AMQPValue::LongString(pass.as_str().into()))])
        .collect::<std::collections::BTreeMap<_, _>>()
        .into();
    properties.with_headers(headers).with_delivery_mode(PERSISTENT)
}
