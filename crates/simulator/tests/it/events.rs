use std::time::Duration;

use serde_json::{Value, json};
use simulator::Options;

use crate::{
    lab::{Lab, until},
    receiver::Receiver,
};

const TOOLS: &str = r#"[{ "name": "issue_refund" }, { "type": "agent.tool_use", "name": "bash" }]"#;

#[tokio::test]
async fn answering_tool_calls_one_by_one_resumes_the_session() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let tools: Value = serde_json::from_str(TOOLS).unwrap();
    let (session, _) = lab.play("requires_action", json!({ "tools": tools })).await;
    let path = format!("/v1/sessions/{session}/events");
    let (_, idle) = lab.get(&format!("{path}?types[]=session.status_idle&order=desc&limit=1")).await;
    let waiting = idle["data"][0]["stop_reason"]["event_ids"].clone();
    let before = lab.stream(&session).await;

    let hello = json!({ "type": "user.message", "content": [{ "type": "text", "text": "hi" }] });
    let (status, refused) = lab.post(&path, json!({ "events": [hello] })).await;
    assert_eq!(status, 400);
    assert!(refused["error"]["message"].as_str().unwrap().contains(waiting[0].as_str().unwrap()));

    let result = json!({ "type": "user.custom_tool_result", "custom_tool_use_id": waiting[0] });
    let (_, echoed) = lab.post(&path, json!({ "events": [result] })).await;
    assert!(echoed["data"][0]["processed_at"].is_string());
    assert_eq!(lab.post(&path, json!({ "events": [result] })).await.0, 400, "a second reply");
    assert_eq!(lab.get(&format!("/v1/sessions/{session}")).await.1["status"], "idle");

    let allow = json!({ "type": "user.tool_confirmation", "tool_use_id": waiting[1], "result": "allow" });
    let (_, echoed) = lab.post(&path, json!({ "events": [allow] })).await;
    assert_eq!(echoed["data"][0]["processed_at"], Value::Null);
    assert_eq!(lab.get(&format!("/v1/sessions/{session}")).await.1["status"], "running");

    let added = lab.stream(&session).await.split_off(before.len());
    assert_eq!(
        added,
        [
            "user.custom_tool_result",
            "session.status_idle",
            "user.tool_confirmation",
            "session.status_running",
            "session.thread_status_running",
        ]
    );
    let types = until(async || receiver.types(), |types| types.len() == 4).await;
    let count = |kind: &str| types.iter().filter(|known| *known == kind).count();
    assert_eq!((count("session.status_run_started"), count("session.status_idled")), (2, 2));
}

#[tokio::test]
async fn an_archived_session_answers_409_and_a_deleted_one_404() {
    let lab = Lab::start().await;
    let hello =
        json!({ "events": [{ "type": "user.message", "content": [{ "type": "text", "text": "hi" }] }] });
    let (session, _) = lab.play("archived", json!({})).await;
    assert_eq!(lab.post(&format!("/v1/sessions/{session}/events"), hello.clone()).await.0, 409);
    lab.play("deleted", json!({ "session": session })).await;
    assert_eq!(lab.post(&format!("/v1/sessions/{session}/events"), hello).await.0, 404);
}

#[tokio::test]
async fn with_a_turn_time_a_turn_ends_by_itself() {
    let lab = Lab::with(Options { turn_time: Some(Duration::from_millis(20)), ..Options::default() }).await;
    let (_, session) = lab.post("/v1/sessions", json!({ "agent": "a", "environment_id": "e" })).await;
    let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
    let hello =
        json!({ "events": [{ "type": "user.message", "content": [{ "type": "text", "text": "hi" }] }] });
    lab.post(&format!("{path}/events"), hello).await;
    until(async || lab.get(&path).await.1["usage"]["input_tokens"].clone(), |tokens| *tokens == 120).await;
}
