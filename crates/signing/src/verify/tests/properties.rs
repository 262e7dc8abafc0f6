//! What holds for all secrets, ids, times and bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

#[derive(Clone, Debug)]
struct Delivery {
    form: Form,
    secret: Secret,
    encoded_secret: String,
    id: String,
    timestamp: i64,
    body: Vec<u8>,
    signature: String,
}

impl Delivery {
    fn verify(&self) -> Result<Verified, Rejection> {
        self.verify_with(&self.timestamp.to_string(), std::slice::from_ref(&self.secret))
    }

    fn verify_with(&self, timestamp: &str, secrets: &[Secret]) -> Result<Verified, Rejection> {
        check(&self.form.headers(&self.id, timestamp, &self.signature), &self.body, secrets)
    }
}

fn encoded_secrets() -> impl Strategy<Value = String> {
    // Longer than a block of the hash, too.
    prop::collection::vec(any::<u8>(), 1..100).prop_map(|key| format!("whsec_{}", STANDARD.encode(key)))
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    let parts = (
        prop::sample::select(Form::ALL.as_slice()),
        encoded_secrets(),
        "[A-Za-z0-9_.-]{1,40}",
        NOW - 300..=NOW + 300,
        prop::collection::vec(any::<u8>(), 0..200),
    );
    parts.prop_map(|(form, encoded_secret, id, timestamp, body)| {
        let secret = Secret::parse(&encoded_secret).expect("the secret is well-formed");
        let signature = form.sign(&secret, &id, timestamp, &body);
        Delivery { form, secret, encoded_secret, id, timestamp, body, signature }
    })
}

/// `text` with one of the seven ASCII bits of one of its bytes turned over.
fn flip(text: &str, position: Index, bit: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[position.index(text.len())] ^= 1 << bit;
    String::from_utf8(bytes).expect("ASCII stays ASCII")
}

/// Header values as senders, proxies and attackers may write them.
fn header_values() -> impl Strategy<Value = Option<String>> {
    let shaped = "(v1|v1a|v1,|t|t=|sha256|[=, ]|[0-9]{1,20}|[A-Za-z0-9+/=]{40,44}|[0-9a-fA-F]{62,64}){0,8}";
    prop::option::of(prop_oneof![any::<String>(), shaped])
}

proptest! {
    #[test]
    fn what_is_signed_verifies(delivery in deliveries()) {
        let verified = delivery.verify().expect("the signature is right");
        prop_assert_eq!(verified.scheme, delivery.form.scheme());
        prop_assert_eq!(verified.secret, 0);
        prop_assert_eq!(verified.signed_at, delivery.form.covers_time().then_some(delivery.timestamp));
    }

    #[test]
    fn one_flipped_bit_of_the_body_is_noticed(
        mut delivery in deliveries(), position: Index, bit in 0_u8..8,
    ) {
        prop_assume!(!delivery.body.is_empty());
        let index = position.index(delivery.body.len());
        delivery.body[index] ^= 1 << bit;
        prop_assert_eq!(reason(delivery.verify()), Reason::NoMatch);
    }

    #[test]
    fn one_flipped_bit_of_the_id_is_noticed(mut delivery in deliveries(), position: Index, bit in 0_u8..7) {
        prop_assume!(delivery.form.covers_id());
        delivery.id = flip(&delivery.id, position, bit);
        prop_assert_eq!(reason(delivery.verify()), Reason::NoMatch);
    }

    #[test]
    fn one_flipped_bit_of_the_timestamp_is_noticed(
        mut delivery in deliveries(), position: Index, bit in 0_u8..7,
    ) {
        prop_assume!(delivery.form.covers_time());
        let timestamp = delivery.timestamp.to_string();
        let flipped = flip(&timestamp, position, bit);
        delivery.signature = delivery.signature.replace(&timestamp, &flipped);
        prop_assert!(delivery.verify_with(&flipped, std::slice::from_ref(&delivery.secret)).is_err());
    }

    #[test]
    fn one_flipped_bit_of_the_signature_is_noticed(
        mut delivery in deliveries(), position: Index, bit in 0_u8..7,
    ) {
        let flipped = flip(&delivery.signature, position, bit);
        prop_assume!(!(delivery.form.is_hex() && flipped.eq_ignore_ascii_case(&delivery.signature)));
        delivery.signature = flipped;
        prop_assert!(delivery.verify().is_err());
    }

    #[test]
    fn any_secret_of_several_will_do_and_is_named(
        delivery in deliveries(),
        others in prop::collection::btree_set(encoded_secrets(), 0..4),
        position: Index,
    ) {
        prop_assume!(!others.contains(&delivery.encoded_secret));
        let mut secrets: Vec<Secret> = others.iter().map(|text| Secret::parse(text).unwrap()).collect();
        let timestamp = delivery.timestamp.to_string();
        prop_assert_eq!(reason(delivery.verify_with(&timestamp, &secrets)), Reason::NoMatch);

        let index = position.index(secrets.len() + 1);
        secrets.insert(index, delivery.secret.clone());
        prop_assert_eq!(delivery.verify_with(&timestamp, &secrets).expect("one of them signed").secret, index);
    }

    #[test]
    fn an_independent_implementation_makes_the_same_signatures(
        encoded_secret in encoded_secrets(),
        id in "[A-Za-z0-9_.-]{1,40}",
        timestamp: i64,
        body in any::<String>(),
    ) {
        let reference = standardwebhooks::Webhook::new(&encoded_secret).unwrap();
        let expected = reference.sign(&id, timestamp, body.as_bytes()).unwrap();
        prop_assert_eq!(sign(&Secret::parse(&encoded_secret).unwrap(), &id, timestamp, body.as_bytes()), expected);
    }

    #[test]
    fn arbitrary_deliveries_are_rejected_without_a_panic_and_explained(
        values in prop::collection::vec(header_values(), 6),
        body in prop::collection::vec(any::<u8>(), 0..100),
        now: i64,
        tolerance: u32,
        schemes in prop::sample::select(&[Schemes::All, Schemes::Standard][..]),
    ) {
        let mut values = values.iter().map(Option::as_deref);
        let headers = Headers::from_lookup(|_| values.next().flatten());
        let diagnosis = crate::diagnose(&headers, &body, &[secret()], now, tolerance, schemes);
        prop_assert_eq!(diagnosis.outcome, verify(&headers, &body, &[secret()], now, tolerance, schemes));
        prop_assert!(diagnosis.outcome.is_err());
        prop_assert!(!diagnosis.findings.is_empty());
    }
}
