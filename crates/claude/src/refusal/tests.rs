use super::{Refusal, shorten};
use crate::Key;
use crate::retry::Hints;
use domain::FailureClass;

fn refusal(status: u16, body: &str) -> Refusal {
    Refusal::read("get_session", status, None, Hints::default(), body.as_bytes(), &Key::new("sk-secret"))
}

#[test]
fn every_status_has_the_class_that_its_cure_asks_for() {
    let classes = [
        (FailureClass::Throttled, &[429][..]),
        (FailureClass::Configuration, &[301, 302, 307, 308, 401, 402, 403]),
        (FailureClass::Gone, &[404, 410]),
        (FailureClass::Transient, &[408, 409, 500, 502, 503, 504, 529]),
        (FailureClass::Permanent, &[400, 405, 413, 415, 422]),
    ];
    for (class, statuses) in classes {
        for status in statuses {
            assert_eq!(refusal(*status, "").class(), class, "{status}");
        }
    }
}

#[test]
fn all_parts_of_the_error_body_are_read() {
    let refusal = refusal(
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"No.","details":{"error_code":"x_y"}},
           "request_id":"req_1"}"#,
    );
    assert_eq!(refusal.to_string(), "get_session was answered 400 invalid_request_error (x_y): No.");
    assert_eq!(refusal.request_id.as_deref(), Some("req_1"));
}

#[test]
fn a_body_of_another_form_leaves_the_status() {
    for body in ["", "<html>Bad gateway</html>", "[]", "{\"error\":7}", "null"] {
        assert_eq!(refusal(502, body).to_string(), "get_session was answered 502", "{body}");
    }
}

#[test]
fn a_key_echoed_by_the_server_does_not_enter_the_error() {
    let refusal = refusal(401, r#"{"error":{"type":"authentication_error","message":"bad key sk-secret!"}}"#);
    assert_eq!(refusal.message.as_deref(), Some("bad key [redacted]!"));
}

#[test]
fn long_texts_are_cut_between_characters_and_kept_on_one_line() {
    assert_eq!(shorten(&"é".repeat(300)), "é".repeat(300));
    assert_eq!(shorten(&"é".repeat(301)), format!("{}…", "é".repeat(300)));
    assert_eq!(shorten("a\r\nb\u{1b}[31m"), "a  b [31m");
}
