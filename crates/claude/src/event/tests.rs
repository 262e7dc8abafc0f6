use super::{Permission, RetryStatus, SessionEvent, StopKind};
use crate::fetched::FromObject;
use crate::object::Object;
use crate::{Defect, Status};
use serde_json::{Value, json};

fn read(event: Value) -> Result<SessionEvent, Defect> {
    let Value::Object(members) = event else { panic!("tests give objects") };
    SessionEvent::from_object(Object(members))
}

#[test]
fn an_idle_event_names_what_it_waits_for() {
    let event = read(json!({
        "id": "sevt_1", "type": "session.status_idle", "processed_at": "2026-08-21T09:14:03.011Z",
        "stop_reason": {"type": "requires_action", "event_ids": ["sevt_2", "sevt_3"]}
    }))
    .unwrap();
    let reason = event.stop_reason().unwrap();
    assert_eq!(reason.kind, StopKind::RequiresAction);
    assert_eq!(reason.event_ids, ["sevt_2", "sevt_3"]);
    assert_eq!(event.processed_at.unwrap().timestamp_millis(), 1_787_303_643_011);
}

#[test]
fn an_unknown_stop_reason_keeps_its_text() {
    let event = read(json!({"id": "e", "type": "session.status_idle", "stop_reason": {"type": "tired"}}));
    let reason = event.unwrap().stop_reason().unwrap();
    assert_eq!(reason.kind, StopKind::Other("tired".to_owned()));
    assert!(reason.event_ids.is_empty());
}

#[test]
fn a_session_error_tells_what_the_platform_does_about_it() {
    let event = read(json!({
        "id": "e", "type": "session.error",
        "error": {"type": "billing_error", "message": "No credit.", "retry_status": {"type": "terminal"}}
    }))
    .unwrap();
    let error = event.error().unwrap();
    assert_eq!(error.kind, "billing_error");
    assert_eq!(error.message.as_deref(), Some("No credit."));
    assert_eq!(error.retry_status, Some(RetryStatus::Terminal));
}

#[test]
fn a_tool_use_shows_its_tool_and_permission() {
    let event = read(json!({
        "id": "e", "type": "agent.tool_use", "name": "bash", "input": {"command": "ls"},
        "evaluated_permission": "ask", "session_thread_id": "sthr_1"
    }))
    .unwrap();
    assert_eq!(event.name(), Some("bash"));
    assert_eq!(event.input(), Some(&json!({"command": "ls"})));
    assert_eq!(event.permission(), Some(Permission::Ask));
    assert_eq!(event.session_thread_id(), Some("sthr_1"));
    assert_eq!(event.answers(), None);
}

#[test]
fn every_kind_of_reply_names_what_it_answers() {
    for member in ["custom_tool_use_id", "tool_use_id", "mcp_tool_use_id"] {
        let event = read(json!({"id": "e", "type": "some.reply", member: "sevt_9"})).unwrap();
        assert_eq!(event.answers(), Some("sevt_9"), "{member}");
    }
}

#[test]
fn an_event_of_an_unknown_type_is_read_and_keeps_its_members() {
    let event =
        read(json!({"id": "", "type": "workflow_run.paused", "processed_at": 17, "why": [1]})).unwrap();
    assert_eq!(event.kind, "workflow_run.paused");
    assert_eq!(event.processed_at, None);
    assert_eq!(event.member("why"), Some(&json!([1])));
    assert_eq!(event.stop_reason(), None);
    assert_eq!(event.error(), None);
}

#[test]
fn an_event_without_a_type_is_broken() {
    let defect = read(json!({"id": "e"})).unwrap_err();
    assert_eq!(defect, Defect::Member { member: "type", expected: "a text" });
}

#[test]
fn open_enums_print_what_they_read() {
    for text in ["idle", "running", "rescheduling", "terminated", "hibernating"] {
        assert_eq!(Status::from(text).to_string(), text);
    }
    assert_eq!(Status::from("idle"), Status::Idle);
    assert_eq!(Status::from("hibernating"), Status::Other("hibernating".to_owned()));
}
