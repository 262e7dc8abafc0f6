//! The signed time: how it is written and how far it may be away.

use super::*;

fn signed_at(form: Form, timestamp: i64) -> Result<Verified, Rejection> {
    let text = timestamp.to_string();
    let signature = form.sign(&secret(), ID, timestamp, BODY);
    check(&form.headers(ID, &text, &signature), BODY, &[secret()])
}

#[test]
fn the_window_is_inclusive_in_both_directions() {
    for form in Form::ALL.into_iter().filter(|form| form.covers_time()) {
        for distance in [-300, -1, 0, 299, 300] {
            let verified = signed_at(form, NOW - distance).unwrap();
            assert_eq!(verified.skew_seconds, Some(distance), "{form:?}");
            assert_eq!(verified.signed_at, Some(NOW - distance), "{form:?}");
            assert_eq!(verified.freshness, Freshness::Checked, "{form:?}");
        }
        for (distance, reason) in [(301, Reason::TooOld), (-301, Reason::TooNew)] {
            let expected = Rejection { reason, skew_seconds: Some(distance) };
            assert_eq!(signed_at(form, NOW - distance), Err(expected), "{form:?}");
        }
    }
}

#[test]
fn a_timestamp_is_decimal_digits_and_nothing_else() {
    for text in [
        "+1773568830",
        "-1773568830",
        " 1773568830",
        "1773568830 ",
        "1773568830.0",
        "1773568830.5",
        "1_773_568_830",
        "0x69b687fe",
        "1.77e9",
        "2026-03-15T10:00:30Z",
        "１７７３５６８８３０",
        "99999999999999999999",
        "now",
    ] {
        let signature = sign(&secret(), ID, NOW, BODY);
        let expected = Err(Rejection { reason: Reason::BadTimestamp, skew_seconds: None });
        assert_eq!(check(&standard(ID, text, &signature), BODY, &[secret()]), expected, "{text}");
        assert_eq!(check(&standard_x(ID, text, &signature), BODY, &[secret()]), expected, "{text}");
    }
    for text in ["+1773568830", "1773568830.5", "now", ""] {
        let signature = sign_timestamped_hex(&secret(), NOW, BODY).replace(&NOW.to_string(), text);
        assert_eq!(reason(check(&x_only(&signature), BODY, &[secret()])), Reason::BadTimestamp, "{text}");
    }
}

#[test]
fn the_timestamp_is_signed_as_it_was_written() {
    let padded = format!("0{NOW}");
    let signature = sign(&secret(), ID, NOW, BODY);
    assert_eq!(reason(check(&standard(ID, &padded, &signature), BODY, &[secret()])), Reason::NoMatch);
}

#[test]
fn what_is_wrong_first_is_what_is_reported() {
    let now = NOW.to_string();
    let old = (NOW - 301).to_string();
    let forged = sign(&other_secret(), ID, NOW, BODY);
    let cases = [
        (Headers { webhook_id: None, ..standard(ID, "junk", &forged) }, Reason::MissingHeader),
        (standard(ID, "junk", &forged), Reason::BadTimestamp),
        (standard(ID, &old, &forged), Reason::TooOld),
        (standard(ID, &now, &forged), Reason::NoMatch),
    ];
    for (headers, expected) in cases {
        assert_eq!(reason(check(&headers, BODY, &[secret()])), expected);
    }
}

#[test]
fn a_mismatch_within_the_window_still_tells_the_skew() {
    let then = (NOW - 7).to_string();
    let forged = sign(&other_secret(), ID, NOW - 7, BODY);
    let expected = Rejection { reason: Reason::NoMatch, skew_seconds: Some(7) };
    assert_eq!(check(&standard(ID, &then, &forged), BODY, &[secret()]), Err(expected));
}

#[test]
fn times_at_the_ends_of_the_range_do_not_overflow() {
    for (signed_at, now, reason) in [
        (i64::MIN, i64::MAX, Reason::TooOld),
        (i64::MAX, i64::MIN, Reason::TooNew),
        (0, i64::MAX, Reason::TooOld),
        (i64::MAX, 0, Reason::TooNew),
    ] {
        assert_eq!(check_freshness(signed_at, now, u32::MAX).unwrap_err().reason, reason);
    }
    assert_eq!(check_freshness(i64::MIN, i64::MIN, 0), Ok(()));
}

#[test]
fn reasons_have_stable_names() {
    let names =
        [Reason::MissingHeader, Reason::BadTimestamp, Reason::TooOld, Reason::TooNew, Reason::NoMatch];
    assert_eq!(
        names.map(Reason::as_str),
        ["missing_header", "bad_timestamp", "too_old", "too_new", "no_match"]
    );
    let rejection = Rejection { reason: Reason::TooOld, skew_seconds: Some(301) };
    assert_eq!(rejection.to_string(), "signature rejected: too_old");
}
