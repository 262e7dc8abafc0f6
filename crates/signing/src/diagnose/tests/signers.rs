//! Mistakes of those who sign.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::*;

fn labelled(digest: Digest) -> String {
    format!("v1,{}", STANDARD.encode(digest))
}

fn signed_with(key: &[u8]) -> String {
    let key = Key::new(key).expect("the key is not empty");
    labelled(key.tag(&standard_content(BODY), b"").into_digest())
}

#[test]
fn a_right_signature_leaves_nothing_to_say() {
    assert_eq!(codes(&standard(&labelled(digest(&standard_content(BODY)))), BODY), []);
}

#[test]
fn a_secret_used_as_text_is_recognised() {
    let encoded = TEXT.trim_start_matches("whsec_");
    assert_eq!(codes(&standard(&signed_with(encoded.as_bytes())), BODY), [Code::SecretNotDecoded]);
    assert_eq!(codes(&standard(&signed_with(TEXT.as_bytes())), BODY), [Code::SecretPrefixInKey]);
}

#[test]
fn the_published_wrong_verifier_is_recognised_whole() {
    // Hex over the body alone, with the secret as text.
    let key = Key::new(TEXT.as_bytes()).unwrap();
    let signature = hex::encode(key.tag("", BODY.as_bytes()).into_digest());
    assert_eq!(codes(&x_only(&signature), BODY), [Code::SecretPrefixInKey]);
    assert_eq!(
        codes(&standard(&signature), BODY),
        [Code::SecretPrefixInKey, Code::BodyOnly, Code::VersionLabel, Code::HexEncoding]
    );
}

#[test]
fn a_signature_over_too_little_is_recognised() {
    assert_eq!(codes(&standard(&labelled(digest(BODY))), BODY), [Code::BodyOnly]);
    assert_eq!(codes(&standard(&labelled(digest(&format!("{TIME}.{BODY}")))), BODY), [Code::IdNotSigned]);
    let stripe = format!("t={TIME},v1={}", hex::encode(digest(BODY)));
    assert_eq!(codes(&x_only(&stripe), BODY), [Code::BodyOnly]);
}

#[test]
fn a_signature_over_more_than_its_form_says_is_recognised() {
    let signature = STANDARD.encode(digest(&standard_content(BODY)));
    let headers = Headers { x_webhook_id: Some(ID), x_webhook_timestamp: Some(TIME), ..x_only(&signature) };
    assert_eq!(codes(&headers, BODY), [Code::OtherForm]);
    let timestamped = hex::encode(digest(&format!("{TIME}.{BODY}")));
    let headers = Headers { x_webhook_timestamp: Some(TIME), ..x_only(&timestamped) };
    assert_eq!(codes(&headers, BODY), [Code::OtherForm]);
}

#[test]
fn other_encodings_are_recognised() {
    let digest = digest(&standard_content(BODY));
    for (signature, expected) in [
        (format!("v1,{}", hex::encode(digest)), vec![Code::HexEncoding]),
        (format!("v1,{}", hex::encode_upper(digest)), vec![Code::HexEncoding]),
        (format!("v1,{}", STANDARD_NO_PAD.encode(digest)), vec![Code::UnpaddedBase64]),
        (STANDARD.encode(digest), vec![Code::VersionLabel]),
        (format!("v1={}", STANDARD.encode(digest)), vec![Code::VersionLabel]),
        (format!("v1a,{}", STANDARD.encode(digest)), vec![Code::VersionLabel]),
        (format!("sha256={}", hex::encode(digest)), vec![Code::VersionLabel, Code::HexEncoding]),
    ] {
        assert_eq!(codes(&standard(&signature), BODY), expected, "{signature}");
    }
}

#[test]
fn the_url_safe_alphabet_is_recognised_with_and_without_padding() {
    // A body whose digest needs the two letters in which the alphabets differ.
    let different = (0..1000).map(|number| format!("[{number}]")).find(|body| {
        let encoded = STANDARD.encode(digest(&standard_content(body)));
        encoded.contains('+') && encoded.contains('/')
    });
    let body = different.expect("one in a few bodies will do");
    let digest = digest(&standard_content(&body));
    for encoded in [URL_SAFE.encode(digest), URL_SAFE_NO_PAD.encode(digest)] {
        assert_eq!(codes(&standard(&format!("v1,{encoded}")), &body), [Code::UrlSafeBase64]);
    }
}

#[test]
fn a_header_without_a_digest_is_called_so() {
    for signature in ["v1,", "v1,AAAA", "gibberish", "v1,dZ56x3Bvmh1OLWCnK"] {
        assert_eq!(codes(&standard(signature), BODY), [Code::MalformedSignature], "{signature}");
    }
    assert_eq!(codes(&x_only("gibberish"), BODY), [Code::MalformedSignature]);
    let ed25519 = format!("v1a,{}", STANDARD.encode([7; 64]));
    assert_eq!(codes(&standard(&ed25519), BODY), [Code::OnlyAsymmetric]);
}

#[test]
fn the_secret_that_matches_is_named_when_it_is_not_the_first() {
    let signature = labelled(digest(&standard_content(BODY)));
    let headers = standard(&signature);
    let remarks = findings(&headers, BODY, &[other_secret(), secret()], Schemes::All);
    assert_eq!(remarks.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::OtherSecret]);
    assert!(remarks[0].message.starts_with("Secret 2 of 2 matches"), "{}", remarks[0].message);

    let unlabelled = signature.trim_start_matches("v1,");
    let causes = findings(&standard(unlabelled), BODY, &[other_secret(), secret()], Schemes::All);
    assert_eq!(
        causes.iter().map(|finding| finding.code).collect::<Vec<_>>(),
        [Code::VersionLabel, Code::OtherSecret]
    );
}

#[test]
fn no_secret_and_no_explanation_are_said() {
    let signature = sign(&other_secret(), ID, 1_773_568_805, BODY.as_bytes());
    assert_eq!(codes(&standard(&signature), BODY), [Code::Unexplained]);
    let causes = findings(&standard(&signature), BODY, &[], Schemes::All);
    assert_eq!(causes, [Code::NoSecret.into()]);
}
