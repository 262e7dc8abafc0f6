use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, answer};

#[tokio::test]
async fn a_session_lives_from_create_to_delete() {
    let lab = Lab::start().await;
    let given =
        json!({ "agent": "agent_1", "environment_id": "env_1", "title": "First", "metadata": { "a": "1" } });
    let (status, session) = lab.post("/v1/sessions", given).await;
    assert_eq!(
        (status.as_u16(), &session["status"], &session["agent"]["id"]),
        (200, &json!("idle"), &json!("agent_1"))
    );
    let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());

    let (_, updated) = lab.post(&path, json!({ "title": null, "metadata": { "a": null, "b": "2" } })).await;
    assert_eq!((&updated["title"], &updated["metadata"]), (&Value::Null, &json!({ "b": "2" })));
    assert_eq!(lab.post(&path, json!({ "vault_ids": [] })).await.0, 400);

    let (_, archived) = answer(lab.api(Method::POST, &format!("{path}/archive"))).await;
    assert_eq!(archived["status"], "terminated");
    assert!(archived["archived_at"].is_string());
    assert_eq!(lab.get(&path).await.0, 200, "archived sessions stay readable");
    assert_eq!(lab.get("/v1/sessions").await.1["data"], json!([]));

    let (_, deleted) = answer(lab.api(Method::DELETE, &path)).await;
    assert_eq!(deleted, json!({ "id": session["id"], "type": "session_deleted" }));
    for path in [path.clone(), format!("{path}/events"), format!("{path}/threads")] {
        assert_eq!(lab.get(&path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn initial_events_start_the_session_and_wrong_ones_create_nothing() {
    let lab = Lab::start().await;
    let create =
        |event: Value| json!({ "agent": "agent_1", "environment_id": "env_1", "initial_events": [event] });
    let hello = json!({ "type": "user.message", "content": [{ "type": "text", "text": "hi" }] });
    let (_, session) = lab.post("/v1/sessions", create(hello)).await;
    assert_eq!(session["status"], "running");
    assert_eq!(lab.post("/v1/sessions", create(json!({ "type": "nonsense" }))).await.0, 400);
    assert_eq!(lab.state().await["sessions"], 1);
}

#[tokio::test]
async fn a_put_session_has_the_given_members_over_the_defaults() {
    let lab = Lab::start().await;
    let given = json!({ "status": "running", "agent": { "name": "Mine" } });
    lab.control(Method::PUT, "/sessions/sesn_mine", given).await;
    let (_, session) = lab.get("/v1/sessions/sesn_mine").await;
    assert_eq!((&session["status"], &session["agent"]["name"]), (&json!("running"), &json!("Mine")));
    assert!(session["agent"]["model"]["id"].is_string());
    assert_eq!(lab.state().await["calls"]["session_fetches"]["sesn_mine"], 1);
}

#[tokio::test]
async fn raw_events_change_the_state_as_they_say() {
    let lab = Lab::start().await;
    lab.control(Method::PUT, "/sessions/sesn_raw", json!({})).await;
    let events = json!({ "events": [
        { "id": "sevt_ask", "type": "agent.custom_tool_use", "name": "x", "input": {} },
        { "type": "session.status_idle", "stop_reason": { "type": "requires_action", "event_ids": ["sevt_ask"] } },
    ] });
    lab.control(Method::POST, "/sessions/sesn_raw/events", events).await;
    let reply =
        json!({ "events": [{ "type": "user.custom_tool_result", "custom_tool_use_id": "sevt_ask" }] });
    assert_eq!(lab.post("/v1/sessions/sesn_raw/events", reply).await.0, 200);
    assert_eq!(lab.get("/v1/sessions/sesn_raw").await.1["status"], "running");
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_ids_also_after_a_reset() {
    let (one, other) = (Lab::start().await, Lab::start().await);
    let (first, played) = one.play("thread_lifecycle", json!({})).await;
    let (second, played_too) = other.play("thread_lifecycle", json!({})).await;
    assert_eq!((&first, &played["webhooks"]), (&second, &played_too["webhooks"]));
    one.control(Method::POST, "/reset", json!({})).await;
    assert_eq!(one.get(&format!("/v1/sessions/{first}")).await.0, 404);
    assert_eq!(one.play("turn_end", json!({})).await.0, first);
}
