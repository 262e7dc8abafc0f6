//! From a message to properties and headers.

use super::{Failure, Message, VERSION, name};
use chrono::SecondsFormat;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// Enough for a chain of errors, short enough for a table of dead letters.
const MAX_REASON_BYTES: usize = 2048;

/// All properties and headers travel in one frame, which the broker limits to 128 KiB. A larger one would close the
/// connection, and again after each reconnect.
const MAX_PROPERTIES_BYTES: usize = 100 * 1024;

/// The message has more to say beside its payload than AMQP can carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event id, endpoint and headers take {bytes} bytes together, at most {MAX_PROPERTIES_BYTES} fit")]
pub struct Unencodable {
    /// How many bytes they take.
    pub bytes: usize,
}

/// Everything of the message but its payload.
pub(crate) fn encode(message: &Message) -> Result<BasicProperties, Unencodable> {
    let Message { event_id, endpoint, content_type, traceparent, failure, .. } = message;
    let reason = failure.as_ref().map(reason);
    let texts = [Some(event_id), Some(endpoint), content_type.as_ref(), traceparent.as_ref()];
    let bytes = texts.into_iter().flatten().map(String::len).chain(reason.map(str::len)).sum();
    if bytes > MAX_PROPERTIES_BYTES {
        return Err(Unencodable { bytes });
    }

    let mut headers = FieldTable::default();
    set(&mut headers, name::VERSION, AMQPValue::LongLongInt(VERSION));
    set(&mut headers, name::ENDPOINT, text(endpoint));
    set(
        &mut headers,
        name::RECEIVED_AT,
        text(&message.received_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
    );
    set(&mut headers, name::GENERATION, AMQPValue::LongLongInt(message.generation.into()));
    set(&mut headers, name::TRIES, AMQPValue::LongLongInt(message.tries.into()));
    if let Some(traceparent) = traceparent {
        set(&mut headers, name::TRACEPARENT, text(traceparent));
    }
    if let (Some(failure), Some(reason)) = (failure, reason) {
        set(&mut headers, name::FAILURE_CLASS, text(failure.class.as_str()));
        set(&mut headers, name::FAILURE_REASON, text(reason));
    }

    let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    properties = match ShortString::try_new(event_id.as_str()) {
        Ok(id) => properties.with_message_id(id),
        Err(_too_long) => {
            set(&mut headers, name::EVENT_ID, text(event_id));
            properties
        }
    };
    if let Some(content_type) = content_type {
        properties = match ShortString::try_new(content_type.as_str()) {
            Ok(short) => properties.with_content_type(short),
            Err(_too_long) => {
                set(&mut headers, name::CONTENT_TYPE, text(content_type));
                properties
            }
        };
    }
    Ok(properties.with_headers(headers))
}

fn set(headers: &mut FieldTable, name: &str, value: AMQPValue) {
    headers.insert(name.into(), value);
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

/// The reason, cut between two characters where it is too long.
fn reason(failure: &Failure) -> &str {
    let end = failure.reason.floor_char_boundary(MAX_REASON_BYTES);
    failure.reason.get(..end).unwrap_or_default()
}
