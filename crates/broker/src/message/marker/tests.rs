use super::Marker;
use crate::message::name;
use chrono::DateTime;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

fn marker() -> Marker {
    Marker { number: 7, placed_at: DateTime::from_timestamp_micros(1_773_576_000_123_456).unwrap() }
}

fn with(headers: &[(&str, AMQPValue)]) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert((*name).into(), value.clone());
    }
    BasicProperties::default().with_headers(table)
}

#[test]
fn a_marker_is_read_as_it_was_written() {
    assert_eq!(Marker::decode(&marker().encode(), b""), Some(marker()));
}

#[test]
fn a_message_with_a_body_or_of_our_layout_is_no_marker() {
    assert_eq!(Marker::decode(&marker().encode(), b"{}"), None);
    let mut headers = marker().encode().headers().clone().unwrap();
    headers.insert(name::VERSION.into(), AMQPValue::LongLongInt(1));
    assert_eq!(Marker::decode(&BasicProperties::default().with_headers(headers), b""), None);
}

#[test]
fn garbage_in_the_headers_is_no_marker() {
    let at = || AMQPValue::LongString("2026-03-15T12:00:00.000000Z".into());
    assert_eq!(Marker::decode(&BasicProperties::default(), b""), None);
    assert_eq!(Marker::decode(&with(&[(name::MARKER, AMQPValue::LongLongInt(7))]), b""), None);
    for number in [
        AMQPValue::LongString("7\0".into()),
        AMQPValue::LongString("seven".into()),
        AMQPValue::LongLongInt(0),
        AMQPValue::LongLongInt(-1),
        AMQPValue::Void,
    ] {
        let properties = with(&[(name::MARKER, number.clone()), (name::MARKER_PLACED_AT, at())]);
        assert_eq!(Marker::decode(&properties, b""), None, "{number:?}");
    }
    for time in
        [AMQPValue::LongString("\0".into()), AMQPValue::LongString("noon".into()), AMQPValue::LongLongInt(1)]
    {
        let properties =
            with(&[(name::MARKER, AMQPValue::LongLongInt(7)), (name::MARKER_PLACED_AT, time.clone())]);
        assert_eq!(Marker::decode(&properties, b""), None, "{time:?}");
    }
}
