//! Several events in one message.
//!
//! A quorum queue's work is per message, whatever its size: it is what a publish costs. Under load, the events of one
//! commit therefore travel together. Only first publishes are bundled; retries, replays and dead letters are single
//! messages, so that each event's fate is its own.
//!
//! The body is a sequence of entries, each with its length in front. Numbers are big-endian; an optional text that is
//! absent has the length `u32::MAX`.

use super::{Malformed, Message, VERSION, name};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use chrono::DateTime;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

#[cfg(test)]
mod tests;

/// What a bundle's version header says. Whoever only knows single messages refuses it.
const BUNDLE_VERSION: i64 = VERSION + 1;

/// Events in one bundle at most: beyond it, the share of the message in an event's cost is small anyway.
const MAX_EVENTS: usize = 32;

/// Payload of a bundle at most; an event that is larger travels alone. Bounds what a prefetch can hold.
const MAX_BYTES: usize = 128 * 1024;

/// Stands for a text that is not there.
const ABSENT: u32 = u32::MAX;

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// Cuts messages, in their order, into runs that each fit into one bundle.
pub(crate) fn runs(messages: &[Message]) -> impl Iterator<Item = &[Message]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let length = rest
            .iter()
            .take(MAX_EVENTS)
            .take_while(|message| {
                bytes += message.payload.len();
                bytes <= MAX_BYTES
            })
            .count()
            .max(1);
        let (run, others) = rest.split_at_checked(length)?;
        rest = others;
        Some(run)
    })
}

/// Properties and body of a bundle. Failures do not travel in bundles.
pub(crate) fn encode(messages: &[Message]) -> (BasicProperties, Bytes) {
    let mut headers = FieldTable::default();
    headers.insert(name::VERSION.into(), AMQPValue::LongLongInt(BUNDLE_VERSION));
    let events = i64::try_from(messages.len()).unwrap_or(i64::MAX);
    headers.insert(name::EVENTS.into(), AMQPValue::LongLongInt(events));
    let properties = BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers);
    let bytes: usize = messages.iter().map(|message| message.payload.len() + 256).sum();
    let mut body = BytesMut::with_capacity(bytes);
    for message in messages {
        put(&mut body, Some(message.event_id.as_bytes()));
        put(&mut body, Some(message.endpoint.as_bytes()));
        put(&mut body, message.content_type.as_deref().map(str::as_bytes));
        put(&mut body, message.traceparent.as_deref().map(str::as_bytes));
        body.put_i64(message.received_at.timestamp_micros());
        body.put_u32(message.generation);
        body.put_u32(message.tries);
        put(&mut body, Some(&message.payload));
    }
    (properties, body.freeze())
}

fn put(body: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (u32::try_from(bytes.len()), bytes)) {
        Some((Ok(length), bytes)) => {
            body.put_u32(length);
            body.put_slice(bytes);
        }
        // Nothing of 4 GiB gets here; bodies are bounded long before.
        Some((Err(_), _)) | None => body.put_u32(ABSENT),
    }
}

/// Whether the properties are those of a bundle.
pub(crate) fn is_bundle(version: i64) -> bool {
    version == BUNDLE_VERSION
}

/// Reads what [`encode`] wrote: all of it or nothing.
pub(crate) fn decode(mut body: Bytes) -> Result<Vec<Message>, Malformed> {
    let mut messages = Vec::new();
    while body.has_remaining() {
        messages.push(entry(&mut body)?);
    }
    Ok(messages)
}

fn entry(body: &mut Bytes) -> Result<Message, Malformed> {
    let event_id = required(text(body)?)?;
    let endpoint = required(text(body)?)?;
    let content_type = text(body)?;
    let traceparent = text(body)?;
    let micros = body.try_get_i64().map_err(|_short| broken("it breaks off"))?;
    let received_at =
        DateTime::from_timestamp_micros(micros).ok_or_else(|| broken("it has an impossible time"))?;
    let generation = body.try_get_u32().map_err(|_short| broken("it breaks off"))?;
    let tries = body.try_get_u32().map_err(|_short| broken("it breaks off"))?;
    let payload = required(take(body)?)?;
    Ok(Message {
        event_id,
        endpoint,
        payload,
        content_type,
        received_at,
        generation,
        tries,
        traceparent,
        failure: None,
    })
}

fn take(body: &mut Bytes) -> Result<Option<Bytes>, Malformed> {
    let length = body.try_get_u32().map_err(|_short| broken("it breaks off"))?;
    if length == ABSENT {
        return Ok(None);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > body.remaining() {
        return Err(broken("it breaks off"));
    }
    // Shares the memory of the body.
    Ok(Some(body.split_to(length)))
}

fn text(body: &mut Bytes) -> Result<Option<String>, Malformed> {
    let utf8 =
        |bytes: Bytes| String::from_utf8(bytes.into()).map_err(|_| broken("it has a text that is no UTF-8"));
    take(body)?.map(utf8).transpose()
}

fn required<T>(value: Option<T>) -> Result<T, Malformed> {
    value.ok_or_else(|| broken("it lacks a part"))
}

fn broken(why: &str) -> Malformed {
    Malformed { why: format!("as a bundle, {why}") }
}
