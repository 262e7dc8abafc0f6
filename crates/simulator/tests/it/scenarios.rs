use reqwest::Method;
use serde_json::{Value, json};

use crate::{lab::Lab, receiver::Receiver};

/// Every type there is: the platform's, the organization's, the one that only a guide names, the flat contract's.
const TYPES: &str = "session.created session.pending session.running session.idled session.requires_action
    session.archived session.deleted session.updated session.status_run_started session.status_idled
    session.status_rescheduled session.status_terminated session.budget_reached session.thread_created
    session.thread_idled session.thread_terminated session.outcome_evaluation_ended vault.created vault.archived
    vault.deleted vault_credential.created vault_credential.archived vault_credential.deleted
    vault_credential.refresh_failed agent.created agent.updated agent.archived agent.deleted deployment.created
    deployment.updated deployment.paused deployment.unpaused deployment.archived deployment.deleted
    deployment_run.started deployment_run.succeeded deployment_run.failed environment.created environment.updated
    environment.archived environment.deleted memory_store.created memory_store.archived memory_store.deleted
    external_key.failed external_key.recovered user_profile.enforcement_action_opened
    user_profile.enforcement_action_resolved user_profile.program_status_updated session.status_scheduled
    session.status_completed session.status_error tool.result_pending";

#[tokio::test]
async fn every_type_has_a_scenario_of_its_name_that_sends_it() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let types: Vec<&str> = TYPES.split_whitespace().collect();
    assert_eq!(types.len(), 44 + 5 + 1 + 3);
    for kind in types {
        let before = receiver.received().len();
        let (id, _) = lab.play(kind, json!({})).await;
        let arrived: Vec<Value> =
            receiver.received()[before..].iter().map(crate::receiver::Received::json).collect();
        let of_kind = arrived.iter().find(|event| event["data"]["type"] == kind);
        let data = &of_kind.unwrap_or_else(|| panic!("{kind}: {arrived:?}"))["data"];
        assert_eq!(data["id"], id, "{kind}");
        let organizational = kind.starts_with("external_key.") || kind.starts_with("user_profile.");
        assert_eq!(data.get("workspace_id").is_none(), organizational, "{kind}");
        assert_eq!(data.get("session_thread_id").is_some(), kind.starts_with("session.thread_"), "{kind}");
        assert_eq!(data.get("vault_id").is_some(), kind.starts_with("vault_credential."), "{kind}");
        assert_eq!(
            data.get("enforcement_action_id").is_some(),
            kind.contains("enforcement_action"),
            "{kind}"
        );
    }
    assert!(receiver.received().iter().all(|one| one.verified.is_ok()));
}

#[tokio::test]
async fn classic_scenarios_send_the_full_payload() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let (id, _) = lab.play("content_moderation.denied", json!({})).await;
    let arrived = receiver.received()[0].json();
    assert_eq!((&arrived["type"], &arrived["data"]["id"]), (&json!("content_moderation.denied"), &json!(id)));
    assert!(arrived["event_id"].is_string() && arrived["created_at"].is_i64());
    assert_eq!(arrived["data"]["moderation_results"][0]["blocked_categories"], json!(["sexual"]));
}

#[tokio::test]
async fn webhooks_can_have_members_more_and_fewer() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let play = json!({ "omit": ["session_thread_id"], "data": { "surprise": [1] } });
    lab.play("thread_created", play).await;
    let data = receiver.received().last().unwrap().json()["data"].clone();
    assert_eq!((&data["surprise"], data.get("session_thread_id")), (&json!([1]), None));
}

#[tokio::test]
async fn a_new_object_can_stay_hidden_for_some_fetches_while_what_is_below_it_is_shown() {
    let lab = Lab::start().await;
    let (session, _) = lab.play("turn_end", json!({ "hide": 2 })).await;
    let path = format!("/v1/sessions/{session}");
    assert_eq!(lab.get(&format!("{path}/events")).await.0, 200);
    let seen =
        [lab.get(&path).await.0.as_u16(), lab.get(&path).await.0.as_u16(), lab.get(&path).await.0.as_u16()];
    assert_eq!(seen, [404, 404, 200]);
    let (vault, _) = lab.play("vault.created", json!({ "hide": 1 })).await;
    assert_eq!(lab.get(&format!("/v1/vaults/{vault}")).await.0, 404);
    assert_eq!(lab.get(&format!("/v1/vaults/{vault}")).await.0, 200);
}

#[tokio::test]
async fn a_resource_can_lag_behind_its_webhook() {
    let lab = Lab::start().await;
    let (id, _) = lab.play("deployment.created", json!({})).await;
    lab.play("deployment.paused", json!({ "resource": id, "lag": 1 })).await;
    let path = format!("/v1/deployments/{id}");
    assert_eq!(lab.get(&path).await.1["status"], "active");
    assert_eq!(lab.get(&path).await.1["status"], "paused");
}

#[tokio::test]
async fn what_does_not_exist_is_refused() {
    let lab = Lab::start().await;
    for (name, body, expected) in [
        ("nonsense", json!({}), 400),
        ("vault_paused", json!({}), 400),
        ("vault.archived", json!({ "resource": "vlt_none" }), 404),
    ] {
        let request = lab.http.request(Method::POST, lab.url(&format!("/_sim/scenarios/{name}"))).json(&body);
        assert_eq!(request.send().await.unwrap().status(), expected, "{name}");
    }
}
