//! Mistakes on the way: headers, clocks, ids and bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn signed(body: &str) -> String {
    format!("v1,{}", STANDARD.encode(digest(&standard_content(body))))
}

fn signed_at(timestamp: &str) -> String {
    format!("v1,{}", STANDARD.encode(digest(&format!("{ID}.{timestamp}.{BODY}"))))
}

#[test]
fn each_missing_header_is_named() {
    let signature = signed(BODY);
    let headers = Headers { webhook_id: None, webhook_timestamp: Some(""), ..standard(&signature) };
    let messages: Vec<_> =
        findings(&headers, BODY, &[secret()], Schemes::All).into_iter().map(|found| found.message).collect();
    assert!(messages[0].contains("`webhook-id`"), "{messages:?}");
    assert!(messages[1].contains("`webhook-timestamp`"), "{messages:?}");

    assert_eq!(codes(&Headers::default(), BODY), [Code::MissingHeader; 3]);
    assert_eq!(codes(&x_only(&signature), BODY), [Code::MissingHeader; 2]);
}

#[test]
fn a_signature_that_would_be_right_is_called_so_although_headers_are_missing() {
    let signature = signed(BODY);
    let headers = Headers { webhook_id: Some(ID), webhook_timestamp: Some(TIME), ..x_only(&signature) };
    assert_eq!(codes(&headers, BODY), [Code::MissingHeader, Code::MissingHeader, Code::SignatureRight]);
}

#[test]
fn an_x_header_that_is_not_read_is_mentioned() {
    let signature = hex::encode(digest(BODY));
    let headers = x_only(&signature);
    let causes = findings(&headers, BODY, &[secret()], Schemes::Standard);
    let codes: Vec<_> = causes.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::MissingHeader, Code::MissingHeader, Code::MissingHeader, Code::XHeaderIgnored]);
}

#[test]
fn a_time_outside_the_window_is_measured_with_its_direction() {
    for (distance, code, words) in [
        (301, Code::TooOld, "301 s ago, where 300 s are allowed"),
        (-4000, Code::TooNew, "4000 s in the future, where 300 s are allowed"),
    ] {
        let timestamp = (NOW - distance).to_string();
        let signature = signed_at(&timestamp);
        let headers = Headers { webhook_timestamp: Some(&timestamp), ..standard(&signature) };
        let causes = findings(&headers, BODY, &[secret()], Schemes::All);
        assert_eq!(
            causes.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            [code, Code::SignatureRight]
        );
        assert!(causes[0].message.contains(words), "{}", causes[0].message);
    }
}

#[test]
fn an_old_delivery_with_a_wrong_signature_has_both_faults() {
    let signature = format!("v1,{}", hex::encode(digest(&format!("{ID}.1000.{BODY}"))));
    let headers = Headers { webhook_timestamp: Some("1000"), ..standard(&signature) };
    assert_eq!(codes(&headers, BODY), [Code::TooOld, Code::HexEncoding]);
}

#[test]
fn the_explanation_with_the_fewest_mistakes_is_given() {
    let right = digest(&format!("{ID}.1000.{BODY}"));
    let list = format!("v1,{} v1,{}", hex::encode(right), STANDARD.encode(right));
    let headers = Headers { webhook_timestamp: Some("1000"), ..standard(&list) };
    assert_eq!(codes(&headers, BODY), [Code::TooOld, Code::SignatureRight]);
}

#[test]
fn milliseconds_and_other_clocks_are_recognised() {
    for (timestamp, code) in [
        ("1773568805000", Code::TimestampInMilliseconds),
        ("1773568805.5", Code::TimestampUnreadable),
        ("2026-03-15T10:00:05Z", Code::TimestampUnreadable),
    ] {
        let signature = signed_at(timestamp);
        let headers = Headers { webhook_timestamp: Some(timestamp), ..standard(&signature) };
        assert_eq!(codes(&headers, BODY), [code, Code::SignatureRight], "{timestamp}");
    }
    let twice = format!("t={TIME},t={TIME},v1={}", hex::encode(digest(&format!("{TIME}.{BODY}"))));
    assert_eq!(codes(&x_only(&twice), BODY)[0], Code::TimestampUnreadable);
}

#[test]
fn a_replaced_id_header_is_recognised() {
    let signature = signed(BODY);
    let headers = Headers { webhook_id: Some("proxy-7"), ..standard(&signature) };
    assert_eq!(codes(&headers, BODY), [Code::IdRewritten]);
}

#[test]
fn an_id_that_differs_from_the_body_is_mentioned() {
    for body in [r#"{"id":"whe_2"}"#, r#"{"event_id":"whe_2","type":"message.created"}"#] {
        assert_eq!(codes(&standard(&signed(body)), body), [Code::IdDiffersFromBody]);
    }
    assert_eq!(
        codes(&standard(&signed("{}")), r#"{"id":"whe_2"}"#),
        [Code::Unexplained, Code::IdDiffersFromBody]
    );
}

#[test]
fn a_body_changed_on_the_way_is_recognised() {
    let lines = "{\n\"id\": \"whe_1\"\n}";
    let crlf = lines.replace('\n', "\r\n");
    for (sent, received, code) in [
        (BODY.to_owned(), format!("{BODY}\n"), Code::NewlineAdded),
        (BODY.to_owned(), format!("{BODY}\r\n"), Code::NewlineAdded),
        (format!("{BODY}\n"), BODY.to_owned(), Code::NewlineLost),
        (lines.to_owned(), crlf.clone(), Code::LineEndingsChanged),
        (crlf, lines.to_owned(), Code::LineEndingsChanged),
    ] {
        assert_eq!(codes(&standard(&signed(&sent)), &received), [code], "{received:?}");
    }
}

#[test]
fn a_body_that_went_through_a_json_library_is_recognised() {
    let compact = BODY.to_owned();
    let ascii = BODY.replace("ö", "\\u00f6").replace('ß', "\\u00df");
    let python =
        r#"{"type": "event", "id": "whe_1", "data": {"title": "Gr\u00f6\u00dfe", "tags": []}}"#.to_owned();
    let spaced = python.replace("\\u00f6", "ö").replace("\\u00df", "ß");
    let pretty =
        "{\n  \"type\": \"event\",\n  \"id\": \"whe_1\",\n  \"data\": {\n    \"title\": \"Größe\",\n    \
                  \"tags\": []\n  }\n}"
            .to_owned();
    let wide = pretty.replace("  ", "    ");
    let styles =
        [compact, ascii, python, spaced, pretty.clone(), format!("{pretty}\n"), wide.clone(), wide + "\n"];
    for (row, sent) in styles.iter().enumerate() {
        let signature = signed(sent);
        for (column, received) in styles.iter().enumerate().filter(|(column, _)| *column != row) {
            let found = codes(&standard(&signature), received);
            // A newline gained or lost at the end of a pretty body is the simpler explanation.
            let newline = [Code::NewlineAdded, Code::NewlineLost].contains(&found[0]);
            assert!(
                found == [Code::JsonReserialised] || newline && found.len() == 1,
                "{row} {column} {found:?}"
            );
        }
    }
}

#[test]
fn a_body_that_is_no_text_is_no_obstacle() {
    let body = [0xff, 0xfe, b'\n'];
    let signature = sign(&other_secret(), ID, 1_773_568_805, &body);
    let diagnosis = diagnose(&standard(&signature), &body, &[secret()], NOW, 300, Schemes::All);
    assert_eq!(diagnosis.findings, [Code::Unexplained.into()]);
}

#[test]
fn no_finding_tells_the_signature_that_was_expected() {
    let expected = digest(&standard_content(BODY));
    let wrong = sign(&other_secret(), ID, 1_773_568_805, BODY.as_bytes());
    let received = format!("{BODY} ");
    for (headers, body) in [
        (standard(&wrong), BODY),
        (standard("v1,AAAA"), BODY),
        (standard(&wrong), received.as_str()),
        (x_only(&wrong), BODY),
    ] {
        let printed =
            format!("{:?}", diagnose(&headers, body.as_bytes(), &[secret()], NOW, 300, Schemes::All));
        for part in [STANDARD.encode(expected), hex::encode(expected)] {
            assert!(!printed.contains(&part[..12]), "{printed}");
        }
        assert!(!printed.contains(&TEXT[6..18]), "{printed}");
    }
}
