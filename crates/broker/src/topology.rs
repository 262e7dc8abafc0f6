//! Which queues there are and what they promise, in one table.
//!
//! Every session declares all of them, so that it does not matter who starts first or whether somebody deleted a queue
//! in between. Declaring a queue that exists with the same arguments changes nothing.

use crate::Error;
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use std::fmt;

#[cfg(test)]
mod tests;

/// A queue of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Events to be processed.
    Work,
    /// Events that failed for good, until a person decides.
    Dead,
    /// Answers to be posted to the platform.
    Replies,
}

impl Queue {
    /// The last part of the queue's name, also its name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Dead => "dead",
            Self::Replies => "replies",
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often a message may be delivered from `work` or `replies` before the broker dead-letters it. This is the backstop for a
/// message that kills its worker, not the three tries: one crash counts against every message that the worker held.
const DELIVERY_LIMIT: i64 = 20;

/// Nobody may use up the deliveries of a dead letter by looking at it. The largest number that all supported brokers
/// take (a signed 32-bit integer).
const DEAD_DELIVERY_LIMIT: i64 = 2_147_483_647;

/// A queue as it is declared. All of them are durable quorum queues that refuse a publish rather than drop a message.
struct Definition {
    queue: Queue,
    delivery_limit: i64,
    /// Where the queue sends messages that were rejected or delivered too often.
    dead_letters_to: Option<Queue>,
}

/// All queues, in the order of declaration: a queue that receives dead letters comes before those that send them.
const DEFINITIONS: [Definition; 3] = [
    Definition { queue: Queue::Dead, delivery_limit: DEAD_DELIVERY_LIMIT, dead_letters_to: None },
    Definition { queue: Queue::Work, delivery_limit: DELIVERY_LIMIT, dead_letters_to: Some(Queue::Dead) },
    Definition { queue: Queue::Replies, delivery_limit: DELIVERY_LIMIT, dead_letters_to: Some(Queue::Dead) },
];

/// The full names of the queues of one stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNames {
    prefix: String,
}

impl QueueNames {
    /// Bytes that a queue name may have is 255; this leaves room for our part.
    const MAX_PREFIX_BYTES: usize = 200;

    /// Names of the form `{prefix}.work`.
    ///
    /// # Errors
    /// When the prefix is empty, longer than 200 bytes, or has other characters than ASCII letters, digits, `-`, `_`
    /// and `.`.
    pub fn new(prefix: &str) -> Result<Self, Error> {
        let fits = (1..=Self::MAX_PREFIX_BYTES).contains(&prefix.len());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !fits || !prefix.chars().all(plain) {
            return Err(Error::InvalidPrefix {
                prefix: prefix.chars().take(Self::MAX_PREFIX_BYTES).collect(),
            });
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// The full name of a queue.
    #[must_use]
    pub fn name(&self, queue: Queue) -> String {
        format!("{}.{queue}", self.prefix)
    }

    /// The full name, in the form that the client library wants. Never too long, see [`QueueNames::new`].
    pub(crate) fn routing_key(&self, queue: Queue) -> ShortString {
        self.name(queue).into()
    }
}

impl Default for QueueNames {
    /// `holdfast.work`, `holdfast.dead` and `holdfast.replies`.
    fn default() -> Self {
        Self { prefix: "holdfast".to_owned() }
    }
}

/// Declares every queue. After an error the channel is closed.
pub(crate) async fn declare(channel: &Channel, names: &QueueNames) -> Result<(), Error> {
    for definition in &DEFINITIONS {
        let arguments = arguments(definition, names);
        channel
            .queue_declare(names.routing_key(definition.queue), QueueDeclareOptions::durable(), arguments)
            .await
            .map_err(|source| declaration_error(names.name(definition.queue), source))?;
    }
    Ok(())
}

fn arguments(definition: &Definition, names: &QueueNames) -> FieldTable {
    let mut arguments = FieldTable::default();
    let mut set = |name: &str, value: AMQPValue| {
        arguments.insert(name.into(), value);
    };
    set("x-queue-type", text("quorum"));
    set("x-delivery-limit", AMQPValue::LongLongInt(definition.delivery_limit));
    // Also a condition of at-least-once dead-lettering, which otherwise quietly becomes at-most-once.
    set("x-overflow", text("reject-publish"));
    if let Some(target) = definition.dead_letters_to {
        set("x-dead-letter-exchange", text(""));
        set("x-dead-letter-routing-key", text(&names.name(target)));
        set("x-dead-letter-strategy", text("at-least-once"));
    }
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

fn declaration_error(queue: String, source: lapin::Error) -> Error {
    let mismatch = AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED);
    if let lapin::ErrorKind::ProtocolError(reply) = source.kind()
        && *reply.kind() == mismatch
    {
        return Error::QueueMismatch { queue, source };
    }
    Error::Operation { operation: "declare a queue", source }
}
