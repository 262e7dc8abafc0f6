use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use signing::{Headers, Reason, Rejection, Schemes, Secret, Verified, diagnose, verify};

const FILE: &str = include_str!("../vectors/webhook-signatures.json");

#[derive(Deserialize)]
struct File {
    tolerance_seconds: u32,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    expected: String,
    reason: Option<String>,
    now: i64,
    secret: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_base64: Option<String>,
    implementations_agree: bool,
}

impl Vector {
    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(encoded)) => STANDARD.decode(encoded).expect("the body is base64"),
            _ => panic!("{}: one body is needed", self.name),
        }
    }

    /// Header names are case-insensitive; one vector writes them in mixed case.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn verify(
        &self,
        secret: &Secret,
        tolerance_seconds: u32,
        schemes: Schemes,
    ) -> Result<Verified, Rejection> {
        let headers = Headers::from_lookup(|name| self.header(name));
        let secrets = std::slice::from_ref(secret);
        verify(&headers, &self.body(), secrets, self.now, tolerance_seconds, schemes)
    }
}

fn file() -> File {
    let file: File = serde_json::from_str(FILE).expect("the vectors are well-formed");
    assert_eq!(file.vectors.len(), 48);
    file
}

#[test]
fn every_vector_has_its_expected_outcome() {
    let file = file();
    for vector in &file.vectors {
        let name = &vector.name;
        let secret = Secret::parse(&vector.secret);
        if vector.expected == "error" {
            assert!(secret.is_err(), "{name}");
            continue;
        }
        let secret = secret.unwrap_or_else(|error| panic!("{name}: {error}"));
        for schemes in [Schemes::All, Schemes::Standard] {
            let outcome = vector.verify(&secret, file.tolerance_seconds, schemes);
            let rejected_for = outcome.err().map(|rejection| rejection.reason);
            let expected = match vector.reason.as_deref() {
                None => None,
                // The signature is checked over raw bytes, and it is right. That the body is no UTF-8 and so no
                // event is for the parser to say.
                Some("invalid_payload") => {
                    assert!(std::str::from_utf8(&vector.body()).is_err(), "{name}");
                    None
                }
                Some("missing_header" | "missing_header_or_signature_mismatch") => {
                    Some(Reason::MissingHeader)
                }
                Some("invalid_timestamp") => Some(Reason::BadTimestamp),
                Some("timestamp_too_old") => Some(Reason::TooOld),
                Some("timestamp_too_new") => Some(Reason::TooNew),
                Some("signature_mismatch") => Some(Reason::NoMatch),
                Some(other) => panic!("{name}: unknown reason {other}"),
            };
            assert_eq!(rejected_for, expected, "{name} with {schemes:?}");
        }
    }
}

/// The reference crate cannot be given a time, so it is asked for its signature, and time is left out on our side.
#[test]
fn the_reference_implementation_agrees_where_all_implementations_do() {
    let mut compared = 0;
    for vector in file().vectors.iter().filter(|vector| vector.implementations_agree) {
        let headers =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| vector.header(name));
        let [Some(id), Some(timestamp), Some(list)] = headers else { continue };
        let (Ok(timestamp), Ok(secret)) = (timestamp.parse(), Secret::parse(&vector.secret)) else {
            continue;
        };
        // Its `sign` takes bytes but insists on UTF-8.
        let Ok(body) = String::from_utf8(vector.body()) else { continue };

        let reference = standardwebhooks::Webhook::new(&vector.secret).expect("the secret is padded base64");
        let signature = reference.sign(id, timestamp, body.as_bytes()).expect("the body is UTF-8");
        let reference_accepts = list.split(' ').any(|item| item == signature);
        let we_accept = vector.verify(&secret, u32::MAX, Schemes::Standard).is_ok();
        assert_eq!(we_accept, reference_accepts, "{}", vector.name);
        compared += 1;
    }
    // A filter that skips everything would pass everything. Left out are the vectors without one of the headers,
    // with an unreadable time, without a key, or with a body that is no UTF-8.
    assert_eq!(compared, 34);
}

#[test]
fn the_doctor_explains_the_rejected_vectors() {
    let file = file();
    let explained = [
        ("wrong_secret", &["unexplained"][..]),
        ("tampered_body", &["unexplained"]),
        ("reserialized_body", &["json_reserialised"]),
        ("body_extra_trailing_newline", &["newline_added"]),
        ("tampered_webhook_id", &["id_rewritten"]),
        ("tampered_timestamp_within_tolerance", &["unexplained"]),
        ("stale_301_seconds", &["too_old", "signature_right"]),
        ("future_301_seconds", &["too_new", "signature_right"]),
        ("timestamp_not_a_number", &["timestamp_unreadable", "unexplained"]),
        ("missing_webhook_signature", &["missing_header"]),
        ("v1a_only", &["only_asymmetric"]),
        ("v1a_label_on_hmac_value", &["version_label"]),
        ("signature_without_version", &["version_label"]),
        ("signature_truncated", &["malformed_signature"]),
        ("signature_unpadded_base64", &["unpadded_base64"]),
        ("signature_url_safe_alphabet", &["url_safe_base64"]),
        ("signature_hex_instead_of_base64", &["hex_encoding"]),
        ("valid_id_differs_from_envelope_id", &["id_differs_from_body"]),
        ("valid_32_byte_secret", &[]),
    ];
    for (name, expected) in explained {
        let vector = file.vectors.iter().find(|vector| vector.name == name).expect("the vector exists");
        let secrets = [Secret::parse(&vector.secret).expect("the secret is usable")];
        let headers = Headers::from_lookup(|name| vector.header(name));
        let body = vector.body();
        let diagnosis =
            diagnose(&headers, &body, &secrets, vector.now, file.tolerance_seconds, Schemes::Standard);
        let codes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, expected, "{name}");
    }
}
