use reqwest::Method;
use serde_json::{Value, json};
use signing::Reason;

use crate::{
    lab::Lab,
    receiver::{Receiver, unix_seconds},
};

async fn deliver(lab: &Lab, options: Value) -> Value {
    let send = json!({ "type": "session.status_idled", "session": "sesn_1", "options": options });
    lab.control(Method::POST, "/deliveries", send).await
}

fn statuses(report: &Value) -> Vec<u64> {
    report["attempts"].as_array().unwrap().iter().map(|attempt| attempt["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_delivery_verifies_and_names_its_event_in_header_and_body() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let report = deliver(&lab, json!({})).await;
    let arrived = &receiver.received()[0];
    assert!(arrived.verified.is_ok());
    assert_eq!(arrived.json()["id"], report["event_id"]);
    assert_eq!(arrived.header("webhook-id"), report["event_id"].as_str());
    assert_eq!(arrived.header("content-type"), Some("application/json"));
    assert_eq!(report["event_id"].as_str().unwrap().len(), "whe_".len() + 32);
}

#[tokio::test]
async fn three_attempts_at_most_each_signed_afresh_and_none_after_a_2xx() {
    let receiver = Receiver::start(&[500, 503, 200, 500, 500, 500]);
    let lab = Lab::sending_to(&receiver).await;
    let report = deliver(&lab, json!({})).await;
    assert_eq!((statuses(&report), &report["outcome"]), (vec![500, 503, 200], &json!("acknowledged")));
    let report = deliver(&lab, json!({})).await;
    assert_eq!((statuses(&report), &report["outcome"]), (vec![500, 500, 500], &json!("failed")));
    assert!(receiver.received().iter().all(|arrived| arrived.verified.is_ok()));
    let webhooks = lab.state().await["webhooks"].clone();
    assert_eq!(
        (&webhooks["attempts"], &webhooks["acknowledged"], &webhooks["failed"]),
        (&json!(6), &json!(1), &json!(1))
    );
}

#[tokio::test]
async fn an_endpoint_that_fails_for_too_long_is_disabled_and_one_success_makes_up_for_failures() {
    let receiver = Receiver::start(&[500, 500, 200, 500]);
    let lab = Lab::sending_to(&receiver).await;
    assert_eq!(deliver(&lab, json!({})).await["outcome"], "acknowledged");
    lab.control(Method::PUT, "/endpoint", json!({ "disable_after_ms": 0 })).await;
    assert_eq!(statuses(&deliver(&lab, json!({})).await), [500], "the first failure is one too many");
    let reason = lab.state().await["endpoint_disabled_reason"].clone();
    assert_eq!(reason, "auto-disabled after sustained delivery failures");
    assert_eq!(deliver(&lab, json!({})).await["outcome"], "disabled");
    lab.control(Method::PUT, "/endpoint", json!({ "enabled": true })).await;
    assert_eq!(deliver(&lab, json!({})).await["outcome"], "acknowledged");
}

#[tokio::test]
async fn duplicates_carry_the_same_id_and_body() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let report = deliver(&lab, json!({ "duplicates": 2 })).await;
    assert_eq!(statuses(&report), [200, 200, 200]);
    let arrived = receiver.received();
    assert!(arrived.iter().all(|one| one.body == arrived[0].body && one.verified.is_ok()));
    assert_eq!(lab.state().await["webhooks"]["skipped"], 2);
}

#[tokio::test]
async fn signatures_are_wrong_in_the_way_asked_for() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let table = [
        (json!({ "stale_seconds": 400 }), Some(Reason::TooOld)),
        (json!({ "stale_seconds": -400 }), Some(Reason::TooNew)),
        (json!({ "signature": "wrong_secret" }), Some(Reason::NoMatch)),
        (json!({ "signature": "garbage" }), Some(Reason::NoMatch)),
        (json!({ "signature": "missing" }), Some(Reason::MissingHeader)),
        (json!({ "signature": "with_v1a" }), None),
        (json!({ "signature": "rotating" }), None),
        (json!({ "signature": "x_standard" }), None),
        (json!({ "signature": "x_timestamped_hex" }), None),
        (json!({ "signature": "x_body_hex" }), None),
        (json!({ "signature": "x_body_base64" }), None),
    ];
    for (mut options, reason) in table {
        options["attempts"] = 1.into();
        deliver(&lab, options.clone()).await;
        let verified = receiver.received().pop().unwrap().verified;
        assert_eq!(verified.err().map(|rejection| rejection.reason), reason, "{options}");
    }
}

#[tokio::test]
async fn a_redirect_disables_the_endpoint_until_it_is_enabled_again() {
    let receiver = Receiver::start(&[307]);
    let lab = Lab::sending_to(&receiver).await;
    assert_eq!(statuses(&deliver(&lab, json!({})).await), [307]);
    assert_eq!(deliver(&lab, json!({})).await["outcome"], "disabled");
    assert!(lab.state().await["endpoint_disabled_reason"].as_str().unwrap().contains("redirect"));
    lab.control(Method::PUT, "/endpoint", json!({ "enabled": true })).await;
    assert_eq!(statuses(&deliver(&lab, json!({})).await), [200]);
}

#[tokio::test]
async fn dropped_and_unsubscribed_events_are_never_sent() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    assert_eq!(deliver(&lab, json!({ "dropped": true })).await["outcome"], "dropped");
    lab.control(Method::PUT, "/endpoint", json!({ "types": ["vault.created"] })).await;
    assert_eq!(deliver(&lab, json!({})).await["outcome"], "unsubscribed");
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn an_endpoint_can_spoil_all_its_deliveries() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    lab.control(Method::PUT, "/endpoint", json!({ "options": { "duplicates": 1 } })).await;
    lab.play("updated", json!({})).await;
    assert_eq!(receiver.types(), ["session.updated", "session.updated"]);
}

#[tokio::test]
async fn envelopes_are_as_chosen() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    for send in [
        json!({ "type": "content_moderation.denied", "id": "evt_1", "dialect": "classic", "created_at": "2026-08-21T09:14:03Z" }),
        json!({ "type": "tool.result_pending", "id": "evt_2", "dialect": "flat", "session": "sesn_1", "extra": { "new": 1 } }),
        json!({ "type": "x", "raw": "not json" }),
    ] {
        lab.control(Method::POST, "/deliveries", send).await;
    }
    let arrived = receiver.received();
    let (classic, flat) = (arrived[0].json(), arrived[1].json());
    assert_eq!((&classic["event_id"], &classic["created_at"]), (&json!("evt_1"), &json!(1_787_303_643)));
    assert_eq!(
        (&flat["type"], &flat["data"]["id"], &flat["new"]),
        (&json!("tool.result_pending"), &json!("sesn_1"), &json!(1))
    );
    assert_eq!(arrived[2].body, "not json");
    assert!(arrived.iter().all(|one| one.verified.is_ok()));
    let listed = lab.control(Method::GET, "/deliveries?event_id=evt_2", json!({})).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_lagging_session_is_fetched_in_its_old_state_once_after_the_webhook() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let (session, _) = lab.play("run_started", json!({})).await;
    lab.play("turn_end", json!({ "session": session, "lag": 1 })).await;
    let path = format!("/v1/sessions/{session}");
    assert_eq!(lab.get(&path).await.1["status"], "running");
    assert_eq!(lab.get(&path).await.1["status"], "idle");
}

#[tokio::test]
async fn the_timestamp_is_the_attempts_and_created_at_the_events() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let send =
        json!({ "type": "session.updated", "session": "sesn_1", "created_at": "2026-01-01T00:00:00Z" });
    lab.control(Method::POST, "/deliveries", send).await;
    let arrived = &receiver.received()[0];
    assert_eq!(arrived.json()["created_at"], "2026-01-01T00:00:00Z");
    let stamped: i64 = arrived.header("webhook-timestamp").unwrap().parse().unwrap();
    assert!((unix_seconds() - stamped).abs() < 10);
}
