//! Which header decides, and which spellings of it are taken.

use super::*;

#[test]
fn the_three_standard_headers_alone_decide() {
    let right = sign(&secret(), ID, NOW, BODY);
    let wrong = sign(&other_secret(), ID, NOW, BODY);
    let now = NOW.to_string();

    let mut headers = standard(ID, &now, &right);
    headers.x_webhook_signature = Some("not a signature");
    assert_eq!(check(&headers, BODY, &[secret()]).unwrap().scheme, Scheme::Standard);

    let x_would_pass = sign_body_hex(&secret(), BODY);
    let mut headers = standard(ID, &now, &wrong);
    headers.x_webhook_signature = Some(&x_would_pass);
    assert_eq!(reason(check(&headers, BODY, &[secret()])), Reason::NoMatch);
}

#[test]
fn some_standard_headers_are_as_good_as_none() {
    let signature = sign(&secret(), ID, NOW, BODY);
    let now = NOW.to_string();
    let complete = standard(ID, &now, &signature);
    let incomplete = [
        Headers { webhook_id: None, ..complete },
        Headers { webhook_timestamp: None, ..complete },
        Headers { webhook_signature: None, ..complete },
        Headers { webhook_signature: Some(""), ..complete },
        Headers { webhook_id: Some(""), ..complete },
        Headers::default(),
    ];
    for headers in incomplete {
        assert_eq!(reason(check(&headers, BODY, &[secret()])), Reason::MissingHeader, "{headers:?}");

        let x = sign_body_hex(&secret(), BODY);
        let headers = Headers { x_webhook_signature: Some(&x), ..headers };
        assert_eq!(check(&headers, BODY, &[secret()]).unwrap().scheme, Scheme::BodyOnly, "{headers:?}");
    }
}

#[test]
fn with_the_standard_scheme_alone_the_x_headers_do_not_exist() {
    let now = NOW.to_string();
    for form in Form::ALL {
        let signature = form.sign(&secret(), ID, NOW, BODY);
        let headers = form.headers(ID, &now, &signature);
        let result = verify(&headers, BODY, &[secret()], NOW, DEFAULT_TOLERANCE_SECONDS, Schemes::Standard);
        match form.scheme() {
            Scheme::Standard => assert!(result.is_ok()),
            Scheme::StandardX | Scheme::TimestampedHex | Scheme::BodyOnly => {
                assert_eq!(reason(result), Reason::MissingHeader, "{form:?}");
            }
        }
    }
}

#[test]
fn a_listed_x_signature_needs_its_own_id_and_timestamp() {
    let signature = sign(&secret(), ID, NOW, BODY);
    let now = NOW.to_string();
    let borrowed = Headers { webhook_id: Some(ID), webhook_timestamp: Some(&now), ..x_only(&signature) };
    let without_id = Headers { x_webhook_id: None, ..standard_x(ID, &now, &signature) };
    let without_time = Headers { x_webhook_timestamp: None, ..standard_x(ID, &now, &signature) };
    for headers in [x_only(&signature), borrowed, without_id, without_time] {
        assert_eq!(reason(check(&headers, BODY, &[secret()])), Reason::MissingHeader, "{headers:?}");
    }
}

#[test]
fn a_list_is_accepted_for_any_of_its_items() {
    let now = NOW.to_string();
    let right = sign(&secret(), ID, NOW, BODY);
    let wrong = sign(&other_secret(), ID, NOW, BODY);
    let zeros = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for list in [
        format!("{wrong} {right}"),
        format!("{right} {wrong}"),
        format!("v1a,AAAA {zeros}  {right}"),
        format!("v2,whatever garbage {right} "),
    ] {
        assert!(check(&standard(ID, &now, &list), BODY, &[secret()]).is_ok());
        assert!(check(&standard_x(ID, &now, &list), BODY, &[secret()]).is_ok());
    }
    for list in
        [wrong.clone(), right.replace("v1,", "v1a,"), right.replace("v1,", "V1,"), format!("{right},")]
    {
        assert_eq!(reason(check(&standard(ID, &now, &list), BODY, &[secret()])), Reason::NoMatch);
    }
}

#[test]
fn the_timestamped_form_is_a_list_of_pairs_in_any_order() {
    let signed = sign_timestamped_hex(&secret(), NOW, BODY);
    let (time, digest) = signed.split_once(',').unwrap();
    let zeros = "0".repeat(64);
    for value in [
        format!("{digest},{time}"),
        format!("{time}, {digest}"),
        format!("{time},v0=ignored,v1={zeros},{digest}"),
        format!("{time},v1={}", digest.trim_start_matches("v1=").to_uppercase()),
    ] {
        assert_eq!(
            check(&x_only(&value), BODY, &[secret()]).unwrap().scheme,
            Scheme::TimestampedHex,
            "{value}"
        );
    }
    for (value, expected) in [
        (format!("{time},{time},{digest}"), Reason::BadTimestamp),
        (format!("t=,{digest}"), Reason::BadTimestamp),
        (format!("{time},v1={zeros}"), Reason::NoMatch),
        (time.to_owned(), Reason::NoMatch),
        (format!("{time},{}", digest.replace("v1=", "v0=")), Reason::NoMatch),
    ] {
        assert_eq!(reason(check(&x_only(&value), BODY, &[secret()])), expected, "{value}");
    }
}

#[test]
fn a_body_signature_is_hex_or_base64_and_leaves_freshness_to_the_caller() {
    let digits = sign_body_hex(&secret(), BODY);
    for value in
        [digits.clone(), digits.to_uppercase(), format!("sha256={digits}"), sign_body_base64(&secret(), BODY)]
    {
        let verified = check(&x_only(&value), BODY, &[secret()]).unwrap();
        let expected = Verified {
            scheme: Scheme::BodyOnly,
            secret: 0,
            signed_at: None,
            skew_seconds: None,
            freshness: Freshness::FromBody,
        };
        assert_eq!(verified, expected);
    }
    let base64 = sign_body_base64(&secret(), BODY);
    for value in
        [format!("sha256={base64}"), format!("sha1={digits}"), digits[..62].to_owned(), "=".to_owned()]
    {
        assert_eq!(reason(check(&x_only(&value), BODY, &[secret()])), Reason::NoMatch);
    }
}

#[test]
fn the_id_is_signed_as_sent_dots_and_all() {
    let now = NOW.to_string();
    let signature = sign(&secret(), "a.b", NOW, BODY);
    assert!(check(&standard("a.b", &now, &signature), BODY, &[secret()]).is_ok());
    assert_eq!(reason(check(&standard("a", &now, &signature), BODY, &[secret()])), Reason::NoMatch);
}

#[test]
fn headers_are_looked_up_by_their_lower_case_names() {
    let mut asked = Vec::new();
    let headers = Headers::from_lookup(|name| {
        asked.push(name);
        Some(name)
    });
    assert_eq!(
        [headers.webhook_id, headers.webhook_timestamp, headers.webhook_signature],
        [Some("webhook-id"), Some("webhook-timestamp"), Some("webhook-signature")]
    );
    assert_eq!(
        [headers.x_webhook_id, headers.x_webhook_timestamp, headers.x_webhook_signature],
        [Some("x-webhook-id"), Some("x-webhook-timestamp"), Some("x-webhook-signature")]
    );
    assert_eq!(asked.len(), 6);
}

#[test]
fn without_secrets_nothing_is_right() {
    let now = NOW.to_string();
    let signature = sign(&secret(), ID, NOW, BODY);
    assert_eq!(reason(check(&standard(ID, &now, &signature), BODY, &[])), Reason::NoMatch);
}
