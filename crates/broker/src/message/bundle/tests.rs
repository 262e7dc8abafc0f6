use super::super::tests::messages;
use super::super::{decode_all, encode as encode_one};
use super::{ABSENT, MAX_BYTES, MAX_EVENTS, Malformed, Message, decode, encode, name, runs};
use bytes::{BufMut as _, Bytes, BytesMut};
use chrono::DateTime;
use lapin::BasicProperties;
use lapin::types::AMQPValue;
use proptest::collection::vec;
use proptest::prelude::*;

/// Payloads cost nothing: they are parts of this.
static ZEROS: [u8; 4 * MAX_BYTES] = [0; 4 * MAX_BYTES];

fn sized(number: usize, bytes: usize) -> Message {
    Message {
        event_id: format!("whe_{number}"),
        endpoint: "default".to_owned(),
        payload: Bytes::from_static(&ZEROS[..bytes]),
        content_type: None,
        received_at: DateTime::UNIX_EPOCH,
        generation: 1,
        tries: 0,
        traceparent: None,
        failure: None,
    }
}

fn of_sizes(sizes: &[usize]) -> Vec<Message> {
    sizes.iter().enumerate().map(|(number, bytes)| sized(number, *bytes)).collect()
}

fn lengths(messages: &[Message]) -> Vec<usize> {
    runs(messages).map(<[Message]>::len).collect()
}

fn bytes(run: &[Message]) -> usize {
    run.iter().map(|message| message.payload.len()).sum()
}

/// First publishes carry no failure.
fn fresh(message: Message) -> Message {
    Message { failure: None, ..message }
}

proptest! {
    #[test]
    fn what_was_bundled_is_unbundled_again(messages in vec(messages().prop_map(fresh), 2..MAX_EVENTS)) {
        let (properties, body) = encode(&messages);
        prop_assert_eq!(decode_all(&properties, body), Ok(messages));
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in vec(any::<u8>(), 0..2_000)) {
        if let Err(malformed) = decode(body.into()) {
            prop_assert!(malformed.why.starts_with("as a bundle, "));
        }
    }

    #[test]
    fn a_bundle_with_one_changed_byte_or_without_its_end_never_panics(
        messages in vec(messages(), 1..4), at: prop::sample::Index, byte: u8,
    ) {
        let (_, body) = encode(&messages);
        let at = at.index(body.len());
        let mut changed = body.to_vec();
        changed[at] = byte;
        let _either = decode(changed.into());
        // Cut between two events, it has fewer; cut anywhere else, it has none.
        if let Ok(shorter) = decode(body.slice(..at)) {
            prop_assert!(messages.into_iter().map(fresh).collect::<Vec<_>>().starts_with(&shorter));
        }
    }

    #[test]
    fn runs_lose_and_reorder_nothing_and_fit_into_a_bundle(
        sizes in vec(prop_oneof![9 => 0..9_000_usize, 1 => 0..2 * MAX_BYTES], 0..150),
    ) {
        let messages = of_sizes(&sizes);
        let runs: Vec<&[Message]> = runs(&messages).collect();
        prop_assert_eq!(&runs.concat(), &messages);
        for run in &runs {
            prop_assert!((1..=MAX_EVENTS).contains(&run.len()));
            prop_assert!(run.len() == 1 || bytes(run) <= MAX_BYTES);
        }
        // None is shorter than it has to be.
        for pair in runs.windows(2) {
            prop_assert!(pair[0].len() == MAX_EVENTS || bytes(pair[0]) + pair[1][0].payload.len() > MAX_BYTES);
        }
    }
}

#[test]
fn a_run_ends_with_thirty_two_events() {
    assert_eq!(lengths(&[]), [0; 0]);
    assert_eq!(lengths(&of_sizes(&[10; 32])), [32]);
    assert_eq!(lengths(&of_sizes(&[10; 65])), [32, 32, 1]);
}

#[test]
fn a_run_ends_with_128_kibibytes_and_what_is_larger_travels_alone() {
    let half = 64 * 1024;
    assert_eq!(lengths(&of_sizes(&[half, half, half])), [2, 1]);
    assert_eq!(lengths(&of_sizes(&[half, half + 1, half])), [1, 1, 1]);
    assert_eq!(lengths(&of_sizes(&[1, 3 * half, 1, 1])), [1, 1, 2]);
}

#[test]
fn a_bundle_says_how_many_events_it_has_and_survives_a_restart_of_the_broker() {
    let (properties, _) = encode(&of_sizes(&[1, 1, 1]));
    let headers = properties.headers().clone().unwrap();
    assert_eq!(headers.inner().get(name::EVENTS), Some(&AMQPValue::LongLongInt(3)));
    assert_eq!(*properties.delivery_mode(), Some(2));
}

#[test]
fn the_version_tells_a_bundle_from_a_single_message_and_from_what_is_not_ours_to_read() {
    let single = sized(1, 5);
    let properties = encode_one(&single).unwrap();
    assert_eq!(decode_all(&properties, single.payload.clone()), Ok(vec![single]));

    let (properties, body) = encode(&of_sizes(&[1, 1]));
    let of_version = |version| -> BasicProperties {
        let mut headers = properties.headers().clone().unwrap();
        headers.insert(name::VERSION.into(), AMQPValue::LongInt(version));
        properties.clone().with_headers(headers)
    };
    assert_eq!(decode_all(&of_version(2), body.clone()).map(|events| events.len()), Ok(2));
    let why = |version| decode_all(&of_version(version), body.clone()).unwrap_err().why;
    assert_eq!(why(3), "version is 3, expected 1");
    assert_eq!(why(1), "it has no message id", "a bundle is no message of one event");
    let why = decode_all(&BasicProperties::default(), body.clone()).unwrap_err().why;
    assert_eq!(why, "header holdfast-version is missing");
}

#[test]
fn what_an_entry_lacks_is_named() {
    let entry = |texts: [Option<&[u8]>; 4], micros: i64, payload: Option<&[u8]>| {
        let mut body = BytesMut::new();
        let put = |body: &mut BytesMut, part: Option<&[u8]>| match part {
            Some(part) => {
                body.put_u32(u32::try_from(part.len()).unwrap());
                body.put_slice(part);
            }
            None => body.put_u32(ABSENT),
        };
        for text in texts {
            put(&mut body, text);
        }
        body.put_i64(micros);
        body.put_u32(1);
        body.put_u32(0);
        put(&mut body, payload);
        body.freeze()
    };
    let (id, endpoint, payload) = (Some(&b"whe_1"[..]), Some(&b"default"[..]), Some(&b"{}"[..]));
    assert_eq!(decode(entry([id, endpoint, None, None], 0, payload)).map(|events| events.len()), Ok(1));
    let why = |body: Bytes| decode(body).map_err(|Malformed { why }| why).unwrap_err();
    assert_eq!(why(entry([None, endpoint, None, None], 0, payload)), "as a bundle, it lacks a part");
    assert_eq!(why(entry([id, endpoint, None, None], 0, None)), "as a bundle, it lacks a part");
    let no_text = Some(&b"\xff"[..]);
    assert_eq!(
        why(entry([id, endpoint, no_text, None], 0, payload)),
        "as a bundle, it has a text that is no UTF-8"
    );
    assert_eq!(
        why(entry([id, endpoint, None, None], i64::MAX, payload)),
        "as a bundle, it has an impossible time"
    );
    assert_eq!(why(Bytes::from_static(b"\0\0\0\x05abc")), "as a bundle, it breaks off");
}
