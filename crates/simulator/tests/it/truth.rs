use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::Lab;

async fn statuses(lab: &Lab) -> Vec<(String, String)> {
    let rows = lab.control(Method::GET, "/resources", json!({})).await;
    let word = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().map(|row| (word(row, "type"), word(row, "status"))).collect()
}

fn word(kind: &str, status: &str) -> (String, String) {
    (kind.to_owned(), status.to_owned())
}

#[tokio::test]
async fn everything_ever_created_is_listed_with_one_word_and_tombstones_stay() {
    let lab = Lab::start().await;
    let (session, _) = lab.play("turn_end", json!({})).await;
    lab.play("deleted", json!({ "session": session })).await;
    lab.play("thread_idled", json!({})).await;
    lab.play("vault.deleted", json!({})).await;
    lab.play("vault_credential.archived", json!({})).await;
    lab.play("deployment.archived", json!({})).await;
    lab.play("deployment.paused", json!({})).await;
    lab.play("deployment_run.started", json!({})).await;
    lab.play("memory_store.created", json!({})).await;
    let mut seen = statuses(&lab).await;
    seen.sort();
    assert_eq!(
        seen,
        [
            word("deployment", "active"),
            word("deployment", "archived"),
            word("deployment", "paused"),
            word("deployment_run", "started"),
            word("memory_store", "active"),
            word("session", "deleted"),
            word("session", "running"),
            word("session_thread", "deleted"),
            word("session_thread", "idle"),
            word("session_thread", "running"),
            word("vault", "active"),
            word("vault", "deleted"),
            word("vault_credential", "archived"),
        ]
    );
}

#[tokio::test]
async fn rows_name_their_parent_and_hold_what_the_api_shows() {
    let lab = Lab::start().await;
    let (credential, _) = lab.play("vault_credential.created", json!({})).await;
    let rows = lab.control(Method::GET, "/resources", json!({})).await;
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == credential).unwrap();
    let parent = row["parent_id"].as_str().unwrap();
    assert_eq!(lab.get(&format!("/v1/vaults/{parent}/credentials/{credential}")).await.1, row["object"]);
    assert_eq!((&row["deleted"], &row["archived_at"]), (&json!(false), &Value::Null));
    assert_eq!(row["updated_at"], row["object"]["updated_at"]);
}

async fn replies(lab: &Lab) -> Vec<Value> {
    lab.control(Method::GET, "/replies", json!({})).await.as_array().unwrap().clone()
}

#[tokio::test]
async fn accepted_and_refused_replies_are_counted_per_tool_use_also_after_the_session_is_gone() {
    let lab = Lab::start().await;
    let denied =
        json!({ "type": "agent.tool_use", "name": "bash", "input": {}, "evaluated_permission": "deny" });
    let (session, _) = lab.play("requires_action", json!({ "tools": [{ "name": "refund" }, denied] })).await;
    let asked = replies(&lab).await;
    assert_eq!((&asked[0]["accepted"], &asked[0]["open"]), (&json!(0), &json!(true)));
    assert_eq!((&asked[1]["answered_by"], &asked[1]["open"]), (&Value::Null, &json!(false)));

    let reply = json!({ "events": [{ "type": "user.custom_tool_result", "custom_tool_use_id": asked[0]["tool_use_id"] }] });
    let path = format!("/v1/sessions/{session}/events");
    let statuses = [lab.post(&path, reply.clone()).await.0.as_u16(), lab.post(&path, reply).await.0.as_u16()];
    assert_eq!(statuses, [200, 400]);
    let check = |row: &Value| {
        assert_eq!((&row["accepted"], &row["refused"], &row["open"]), (&json!(1), &json!(1), &json!(false)));
        assert_eq!((&row["session"], &row["name"]), (&json!(session), &json!("refund")));
    };
    check(&replies(&lab).await[0]);
    lab.play("deleted", json!({ "session": session })).await;
    check(&replies(&lab).await[0]);
}
