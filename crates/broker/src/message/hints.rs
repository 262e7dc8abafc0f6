//! What the broker itself noted on a message.

use super::decode::{integer, text};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

/// The broker's own notes. Hints for people and for logs: how they are counted differs between versions of RabbitMQ,
/// and the number of tries is ours to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// How often the message was delivered before without being acknowledged.
    pub delivery_count: u64,
    /// Where and why it was dead-lettered, the latest first.
    pub deaths: Vec<Death>,
}

/// One entry of `x-death`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// The queue that the message left.
    pub queue: String,
    /// `rejected`, `delivery_limit`, `expired` or `maxlen`.
    pub reason: String,
    /// How often that happened.
    pub count: u64,
}

impl Hints {
    /// Reads the notes; what is unreadable counts as not there.
    pub(crate) fn of(properties: &BasicProperties) -> Self {
        let Some(headers) = properties.headers() else { return Self::default() };
        Self { delivery_count: number(headers, "x-delivery-count"), deaths: deaths(headers) }
    }
}

fn deaths(headers: &FieldTable) -> Vec<Death> {
    let Some(AMQPValue::FieldArray(entries)) = headers.inner().get("x-death") else { return Vec::new() };
    entries.as_slice().iter().filter_map(death).collect()
}

fn death(entry: &AMQPValue) -> Option<Death> {
    let AMQPValue::FieldTable(entry) = entry else { return None };
    let field = |name: &str| entry.inner().get(name).and_then(text);
    Some(Death { queue: field("queue")?, reason: field("reason")?, count: number(entry, "count") })
}

fn number(table: &FieldTable, name: &str) -> u64 {
    table.inner().get(name).and_then(integer).and_then(|number| number.try_into().ok()).unwrap_or_default()
}
