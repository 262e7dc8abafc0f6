use super::*;

fn envelope(kind: &str) -> Envelope {
    let at = DateTime::from_timestamp_millis(1_787_303_643_900).unwrap();
    let notice = Notice::about(kind, "sesn_1", at).with("session_thread_id", "sthr_1");
    Envelope::of(&notice, "whe_1".into())
}

fn json_of(envelope: &Envelope, dialect: Dialect) -> Value {
    serde_json::from_slice(&envelope.body(dialect)).unwrap()
}

#[test]
fn the_platform_envelope_names_everything_in_data_and_has_whole_seconds() {
    let body = json_of(&envelope("session.thread_idled"), Dialect::Platform);
    assert_eq!(body["type"], "event");
    assert_eq!(body["created_at"], "2026-08-21T09:14:03Z");
    assert_eq!(
        body["data"],
        json!({ "type": "session.thread_idled", "id": "sesn_1", "session_thread_id": "sthr_1",
            "organization_id": ORGANIZATION, "workspace_id": WORKSPACE })
    );
}

#[test]
fn the_flat_envelope_has_the_type_at_the_top() {
    let body = json_of(&envelope("session.status_idled"), Dialect::Flat);
    assert_eq!((&body["type"], &body["data"]["id"]), (&json!("session.status_idled"), &json!("sesn_1")));
}

#[test]
fn the_classic_envelope_has_an_event_id_and_unix_seconds() {
    let mut envelope = envelope("content_moderation.denied");
    envelope.data = Object::new();
    let body = json_of(&envelope, Dialect::Classic);
    assert_eq!((&body["event_id"], &body["created_at"]), (&json!("whe_1"), &json!(1_787_303_643)));
    assert_eq!(body["data"]["moderation_results"][0]["blocked_categories"][0], "sexual");
    assert!(body["data"]["id"].as_str().unwrap().starts_with("msg_"));
}
