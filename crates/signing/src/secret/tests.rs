use super::*;
use crate::{Headers, Schemes, sign_body_hex, verify};

/// Whether `secret` accepts what the bytes `key` sign.
fn accepts(secret: &Secret, key: &[u8]) -> bool {
    let key = Key::new(key).expect("the key is not empty");
    let signature = hex::encode(key.tag("", b"body").into_digest());
    let headers = Headers { x_webhook_signature: Some(&signature), ..Headers::default() };
    verify(&headers, b"body", std::slice::from_ref(secret), 0, 0, Schemes::All).is_ok()
}

#[test]
fn a_prefixed_secret_is_its_decoded_bytes_and_nothing_else() {
    let secret = Secret::parse("whsec_aG9sZGZhc3Q=").unwrap();
    assert!(accepts(&secret, b"holdfast"));
    for wrong in [&b"aG9sZGZhc3Q="[..], b"whsec_aG9sZGZhc3Q="] {
        assert!(!accepts(&secret, wrong));
    }
}

#[test]
fn a_prefixed_secret_may_have_lost_its_padding() {
    assert!(accepts(&Secret::parse("whsec_aG9sZGZhc3Q").unwrap(), b"holdfast"));
}

#[test]
fn a_secret_without_prefix_is_both_its_decoded_bytes_and_its_own_bytes() {
    let secret = Secret::parse("aG9sZGZhc3Q=").unwrap();
    assert!(accepts(&secret, b"holdfast"));
    assert!(accepts(&secret, b"aG9sZGZhc3Q="));
}

#[test]
fn a_secret_without_prefix_signs_with_its_decoded_bytes_where_there_are_any() {
    let decodable = Secret::parse("aG9sZGZhc3Q=").unwrap();
    let same_key = Secret::parse("whsec_aG9sZGZhc3Q=").unwrap();
    assert_eq!(sign_body_hex(&decodable, b"body"), sign_body_hex(&same_key, b"body"));

    let raw = Secret::parse("not base64!").unwrap();
    assert!(accepts(&raw, b"not base64!"));
    let signature = sign_body_hex(&raw, b"body");
    assert_eq!(signature, hex::encode(Key::new(b"not base64!").unwrap().tag("", b"body").into_digest()));
}

#[test]
fn white_space_around_a_secret_is_ignored() {
    let secret = Secret::parse("\n  whsec_aG9sZGZhc3Q=\r\n").unwrap();
    assert!(accepts(&secret, b"holdfast"));
}

#[test]
fn a_secret_without_a_key_is_refused() {
    for text in ["", "  \n", "whsec_", "whsec_\n"] {
        assert_eq!(Secret::parse(text).unwrap_err(), SecretError::Empty, "{text:?}");
    }
}

#[test]
fn a_prefixed_secret_that_cannot_be_decoded_is_refused() {
    for text in ["whsec_!", "whsec_aG9sZGZhc3Q=garbage", "whsec_aG9s ZGZhc3Q=", "whsec_a", "whsec_aG9s_Q=="] {
        assert_eq!(Secret::parse(text).unwrap_err(), SecretError::NotBase64, "{text:?}");
    }
}

#[test]
fn a_secret_cannot_be_printed() {
    let secret = Secret::parse("whsec_aG9sZGZhc3Q=").unwrap();
    assert_eq!(format!("{secret:?}"), "Secret(redacted)");
    assert_eq!(format!("{secret:#?}"), "Secret(redacted)");
}

#[test]
fn the_error_of_a_refused_secret_says_nothing_of_its_text() {
    let error = Secret::parse("whsec_hunter2!").unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(std::error::Error::source(&error).is_none(), "base64's own error names the offending byte");
    assert!(!printed.contains("hunter2") && !printed.contains('!'), "{printed}");
}
