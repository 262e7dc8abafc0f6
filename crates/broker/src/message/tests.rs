use super::{Death, Failure, Hints, Message, decode, encode, name};
use bytes::Bytes;
use chrono::DateTime;
use domain::FailureClass;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn failures() -> impl Strategy<Value = Failure> {
    (proptest::sample::select(&FailureClass::ALL[..]), ".{0,80}")
        .prop_map(|(class, reason)| Failure { class, reason })
}

prop_compose! {
    pub(super) fn messages()(
        event_id in ".{0,300}",
        endpoint in ".{0,40}",
        payload in vec(any::<u8>(), 0..300),
        content_type in option::of(".{0,300}"),
        // Until the year 9999, with microseconds.
        micros in 0..253_402_300_799_999_999_i64,
        generation: u32,
        tries: u32,
        traceparent in option::of("[0-9a-f-]{0,60}"),
        failure in option::of(failures()),
    ) -> Message {
        Message {
            event_id, endpoint, payload: payload.into(), content_type,
            received_at: DateTime::from_timestamp_micros(micros).unwrap(),
            generation, tries, traceparent, failure,
        }
    }
}

fn values() -> impl Strategy<Value = AMQPValue> {
    prop_oneof![
        any::<bool>().prop_map(AMQPValue::Boolean),
        any::<i8>().prop_map(AMQPValue::ShortShortInt),
        any::<i64>().prop_map(AMQPValue::LongLongInt),
        vec(any::<u8>(), 0..20).prop_map(|bytes| AMQPValue::LongString(LongString::from(bytes))),
        Just(AMQPValue::Void),
        Just(AMQPValue::FieldTable(FieldTable::default())),
        Just(AMQPValue::FieldArray(FieldArray::default())),
    ]
}

fn names() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        name::VERSION,
        name::EVENT_ID,
        name::ENDPOINT,
        name::RECEIVED_AT,
        name::GENERATION,
        name::TRIES,
        name::FAILURE_CLASS,
        name::FAILURE_REASON,
        name::TRACEPARENT,
        "x-death",
        "x-delivery-count",
    ])
}

fn sample() -> Message {
    Message {
        event_id: "whe_1".to_owned(),
        endpoint: "default".to_owned(),
        payload: Bytes::from_static(b"{}"),
        content_type: Some("application/json".to_owned()),
        received_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
        generation: 2,
        tries: 1,
        traceparent: None,
        failure: None,
    }
}

/// The properties of the sample with one header replaced.
fn sample_with(name: &str, value: AMQPValue) -> BasicProperties {
    let properties = encode(&sample()).unwrap();
    let mut headers = properties.headers().clone().unwrap();
    headers.insert(name.into(), value);
    properties.with_headers(headers)
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded_again(message in messages()) {
        let properties = encode(&message).unwrap();
        prop_assert_eq!(decode(&properties, message.payload.clone()), Ok(message));
    }

    #[test]
    fn one_foreign_header_never_panics(name in names(), value in values()) {
        let properties = sample_with(name, value);
        Hints::of(&properties);
        // Either it is still a message of ours, or it says why not.
        if let Err(malformed) = decode(&properties, Bytes::new()) {
            prop_assert!(!malformed.why.is_empty());
        }
    }
}

#[test]
fn a_message_of_somebody_else_says_why_it_is_malformed() {
    let why = decode(&BasicProperties::default(), Bytes::new()).unwrap_err().why;
    assert_eq!(why, "header holdfast-version is missing");
    let why = decode(&sample_with(name::VERSION, AMQPValue::LongInt(2)), Bytes::new()).unwrap_err().why;
    assert_eq!(why, "version is 2, expected 1");
}

#[test]
fn numbers_are_read_whatever_integer_type_carries_them() {
    for value in [
        AMQPValue::ShortShortInt(7),
        AMQPValue::ShortShortUInt(7),
        AMQPValue::ShortInt(7),
        AMQPValue::ShortUInt(7),
        AMQPValue::LongInt(7),
        AMQPValue::LongUInt(7),
        AMQPValue::LongLongInt(7),
    ] {
        assert_eq!(decode(&sample_with(name::TRIES, value), Bytes::new()).unwrap().tries, 7);
    }
}

#[test]
fn a_number_that_does_not_fit_is_malformed() {
    for value in [AMQPValue::LongLongInt(-1), AMQPValue::LongLongInt(1 << 32), AMQPValue::Double(1.0)] {
        assert!(decode(&sample_with(name::GENERATION, value), Bytes::new()).is_err());
    }
}

#[test]
fn a_broken_trace_context_costs_the_trace_and_not_the_event() {
    let properties = sample_with(name::TRACEPARENT, AMQPValue::LongInt(3));
    assert_eq!(decode(&properties, Bytes::new()).unwrap().traceparent, None);
}

#[test]
fn a_long_reason_is_cut_between_two_characters() {
    let failure = Failure { class: FailureClass::Bug, reason: "ä".repeat(2000) };
    let message = Message { failure: Some(failure), ..sample() };
    let decoded = decode(&encode(&message).unwrap(), Bytes::new()).unwrap();
    assert_eq!(decoded.failure.unwrap().reason, "ä".repeat(1024));
}

#[test]
fn properties_that_would_not_fit_a_frame_are_refused_before_they_are_sent() {
    let message = Message { event_id: "x".repeat(100 * 1024), ..sample() };
    assert_eq!(encode(&message).unwrap_err().bytes, 100 * 1024 + "default".len() + "application/json".len());
}

#[test]
fn messages_survive_a_restart_of_the_broker() {
    assert_eq!(*encode(&sample()).unwrap().delivery_mode(), Some(2));
}

#[test]
fn the_notes_of_the_broker_are_read_as_hints() {
    let mut entry = FieldTable::default();
    entry.insert("queue".into(), AMQPValue::LongString("holdfast.work".into()));
    entry.insert("reason".into(), AMQPValue::LongString("delivery_limit".into()));
    entry.insert("count".into(), AMQPValue::LongLongInt(1));
    let mut headers = FieldTable::default();
    headers.insert("x-death".into(), AMQPValue::FieldArray(vec![AMQPValue::FieldTable(entry)].into()));
    headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(21));
    let hints = Hints::of(&BasicProperties::default().with_headers(headers));
    let death = Death { queue: "holdfast.work".to_owned(), reason: "delivery_limit".to_owned(), count: 1 };
    assert_eq!(hints, Hints { delivery_count: 21, deaths: vec![death] });
}
