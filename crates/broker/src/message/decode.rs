//! From properties and headers to a message. Anybody may put anything into a queue, so nothing is taken for granted.

use super::{Failure, Malformed, Message, VERSION, bundle, name};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::FailureClass;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

/// Reads a message of one event or of several.
pub(crate) fn decode_all(properties: &BasicProperties, payload: Bytes) -> Result<Vec<Message>, Malformed> {
    let version = Headers(properties.headers().as_ref()).required_number(name::VERSION)?;
    if bundle::is_bundle(version) { bundle::decode(payload) } else { Ok(vec![decode(properties, payload)?]) }
}

/// Reads what [`encode`](super::encode()) wrote.
pub(crate) fn decode(properties: &BasicProperties, payload: Bytes) -> Result<Message, Malformed> {
    let headers = Headers(properties.headers().as_ref());
    let version = headers.required_number::<i64>(name::VERSION)?;
    if version != VERSION {
        return Err(Malformed { why: format!("version is {version}, expected {VERSION}") });
    }
    let event_id = property_or_header(properties.message_id().as_ref(), &headers, name::EVENT_ID)?
        .ok_or_else(|| Malformed { why: "it has no message id".to_owned() })?;
    Ok(Message {
        event_id,
        endpoint: headers.required_text(name::ENDPOINT)?,
        payload,
        content_type: property_or_header(properties.content_type().as_ref(), &headers, name::CONTENT_TYPE)?,
        received_at: received_at(&headers)?,
        generation: headers.required_number(name::GENERATION)?,
        tries: headers.required_number(name::TRIES)?,
        // A trace that breaks here is a pity; an event that is refused for it would be a loss.
        traceparent: headers.text(name::TRACEPARENT).ok().flatten(),
        failure: failure(&headers)?,
    })
}

fn property_or_header(
    property: Option<&ShortString>,
    headers: &Headers<'_>,
    name: &str,
) -> Result<Option<String>, Malformed> {
    property.map_or_else(|| headers.text(name), |value| Ok(Some(value.to_string())))
}

fn received_at(headers: &Headers<'_>) -> Result<DateTime<Utc>, Malformed> {
    let text = headers.required_text(name::RECEIVED_AT)?;
    DateTime::parse_from_rfc3339(&text)
        .map(|at| at.to_utc())
        .map_err(|error| Malformed { why: format!("header {} is no time: {error}", name::RECEIVED_AT) })
}

fn failure(headers: &Headers<'_>) -> Result<Option<Failure>, Malformed> {
    let Some(class) = headers.text(name::FAILURE_CLASS)? else { return Ok(None) };
    let class: FailureClass = class.parse().map_err(|error| Malformed { why: format!("{error}") })?;
    Ok(Some(Failure { class, reason: headers.text(name::FAILURE_REASON)?.unwrap_or_default() }))
}

/// The headers of a message, where it has any.
struct Headers<'a>(Option<&'a FieldTable>);

impl Headers<'_> {
    fn get(&self, name: &str) -> Option<&AMQPValue> {
        self.0.and_then(|table| table.inner().get(name))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Malformed> {
        let Some(value) = self.get(name) else { return Ok(None) };
        text(value).map(Some).ok_or_else(|| Malformed { why: format!("header {name} is no UTF-8 text") })
    }

    fn required_text(&self, name: &str) -> Result<String, Malformed> {
        self.text(name)?.ok_or_else(|| Malformed { why: format!("header {name} is missing") })
    }

    fn required_number<T: TryFrom<i64>>(&self, name: &str) -> Result<T, Malformed> {
        let value = self.get(name).ok_or_else(|| Malformed { why: format!("header {name} is missing") })?;
        integer(value)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| Malformed { why: format!("header {name} is no fitting number") })
    }
}

/// The text of any value that holds text: clients and brokers differ in which type they choose.
pub(crate) fn text(value: &AMQPValue) -> Option<String> {
    let bytes = match value {
        AMQPValue::LongString(text) => text.as_bytes(),
        AMQPValue::ShortString(text) => text.as_str().as_bytes(),
        AMQPValue::ByteArray(bytes) => bytes.as_slice(),
        AMQPValue::Boolean(_)
        | AMQPValue::ShortShortInt(_)
        | AMQPValue::ShortShortUInt(_)
        | AMQPValue::ShortInt(_)
        | AMQPValue::ShortUInt(_)
        | AMQPValue::LongInt(_)
        | AMQPValue::LongUInt(_)
        | AMQPValue::LongLongInt(_)
        | AMQPValue::Float(_)
        | AMQPValue::Double(_)
        | AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::Timestamp(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::Void => return None,
    };
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// The number in any value of an integer type.
pub(super) fn integer(value: &AMQPValue) -> Option<i64> {
    match value {
        AMQPValue::ShortShortInt(number) => Some((*number).into()),
        AMQPValue::ShortShortUInt(number) => Some((*number).into()),
        AMQPValue::ShortInt(number) => Some((*number).into()),
        AMQPValue::ShortUInt(number) => Some((*number).into()),
        AMQPValue::LongInt(number) => Some((*number).into()),
        AMQPValue::LongUInt(number) => Some((*number).into()),
        AMQPValue::LongLongInt(number) => Some(*number),
        AMQPValue::Boolean(_)
        | AMQPValue::Float(_)
        | AMQPValue::Double(_)
        | AMQPValue::DecimalValue(_)
        | AMQPValue::ShortString(_)
        | AMQPValue::LongString(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::Timestamp(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::ByteArray(_)
        | AMQPValue::Void => None,
    }
}
