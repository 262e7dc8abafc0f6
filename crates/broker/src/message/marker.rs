//! Markers: messages that carry no event and only say how far the queue has been handed out.

use super::decode::{integer, text};
use super::name;
use chrono::{DateTime, SecondsFormat, Utc};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// A marker of one round of an audit. Whoever is handed it knows that all messages published before it have been handed
/// out too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// The round's number.
    pub number: i64,
    /// When the round was begun; microseconds survive the way. Tells rounds of the same number in two databases apart.
    pub placed_at: DateTime<Utc>,
}

impl Marker {
    pub(crate) fn encode(self) -> BasicProperties {
        let placed_at = self.placed_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut headers = FieldTable::default();
        headers.insert(name::MARKER.into(), AMQPValue::LongLongInt(self.number));
        headers.insert(name::MARKER_PLACED_AT.into(), AMQPValue::LongString(placed_at.as_str().into()));
        BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers)
    }

    /// Reads what [`Marker::encode`] wrote. Whatever else bears the header is none: above all a message with an event,
    /// which must not be lost for a header too many.
    pub(crate) fn decode(properties: &BasicProperties, payload: &[u8]) -> Option<Self> {
        let headers = properties.headers().as_ref()?.inner();
        if !payload.is_empty() || headers.contains_key(name::VERSION) {
            return None;
        }
        let number = headers.get(name::MARKER).and_then(integer).filter(|number| *number > 0)?;
        let placed_at = headers.get(name::MARKER_PLACED_AT).and_then(text)?;
        let placed_at = DateTime::parse_from_rfc3339(&placed_at).ok()?.to_utc();
        Some(Self { number, placed_at })
    }
}

#[cfg(test)]
mod tests;
