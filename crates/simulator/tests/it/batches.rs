use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, until},
    receiver::Receiver,
};

async fn batch(lab: &Lab, order: Value) -> Value {
    let started = lab.control(Method::POST, "/send", order).await;
    let path = format!("/send/{}", started["id"]);
    until(async || lab.control(Method::GET, &path, json!({})).await, |progress| progress["done"] == true)
        .await
}

#[tokio::test]
async fn a_batch_sends_what_was_ordered_and_counts_what_came_back() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let order = json!({ "count": 60, "sessions": 7, "duplicates": 0.2, "shuffle": true, "stale": 3,
        "bad_signatures": 4, "dropped": 2, "dialect": "mixed" });
    let progress = batch(&lab, order).await;
    let numbers = ["planned", "sent", "acknowledged", "skipped", "rejected", "dropped", "unexpected"];
    let numbers = numbers.map(|name| progress[name].as_u64().unwrap());
    assert_eq!(numbers, [79, 79, 72, 12, 7, 2, 0], "{progress}");
    assert_eq!(receiver.received().len(), 79);
}

#[tokio::test]
async fn after_a_batch_the_api_shows_what_the_newest_webhook_of_each_session_announced() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    batch(&lab, json!({ "count": 80, "sessions": 8, "shuffle": true })).await;
    let planned = lab.get("/v1/sessions?include_archived=true").await.1;
    assert_eq!(planned["data"].as_array().unwrap().len(), 8);
    let mut per_session: BTreeMap<String, usize> = BTreeMap::new();
    for received in receiver.received() {
        let body = received.json();
        assert!(body["created_at"].as_str().unwrap().len() == "2026-08-21T09:14:03Z".len(), "whole seconds");
        *per_session.entry(body["data"]["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(per_session.values().all(|count| *count == 10), "{per_session:?}");
    for session in planned["data"].as_array().unwrap() {
        // Ten steps starting with a run: every second one ends a turn, unless something went on within it.
        let (_, events) =
            lab.get(&format!("/v1/sessions/{}/events?order=desc", session["id"].as_str().unwrap())).await;
        let status = events["data"].as_array().unwrap().iter().find_map(|event| {
            match event["type"].as_str().unwrap() {
                "session.status_running" => Some("running"),
                "session.status_idle" => Some("idle"),
                "session.status_rescheduled" => Some("rescheduling"),
                "session.status_terminated" => Some("terminated"),
                _ => None,
            }
        });
        assert_eq!(session["status"].as_str(), status);
    }
}

#[tokio::test]
async fn a_seeded_batch_repeats() {
    let receiver = Receiver::start(&[]);
    let order = json!({ "count": 20, "sessions": 3, "seed": 9, "shuffle": true, "concurrency": 1 });
    for _ in 0..2 {
        let lab = Lab::sending_to(&receiver).await;
        batch(&lab, order.clone()).await;
    }
    let sent: Vec<_> = receiver
        .received()
        .iter()
        .map(|one| {
            let body = one.json();
            (body["id"].clone(), body["data"].clone())
        })
        .collect();
    assert_eq!(sent[..20], sent[20..]);
}

#[tokio::test]
async fn a_fail_session_fails_every_fetch_of_it_and_of_no_other() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let progress = batch(&lab, json!({ "count": 6, "sessions": 2, "fail_session": true })).await;
    let failing = progress["fault_session"].as_str().unwrap();
    let (_, list) = lab.get("/v1/sessions?include_archived=true").await;
    for session in list["data"].as_array().unwrap() {
        let id = session["id"].as_str().unwrap();
        let expected = if id == failing { 500 } else { 200 };
        assert_eq!(lab.get(&format!("/v1/sessions/{id}")).await.0, expected);
    }
}

#[tokio::test]
async fn a_receiver_that_accepts_everything_is_reported() {
    let receiver = Receiver::start(&[200; 40]);
    let lab = Lab::sending_to(&receiver).await;
    let progress = batch(&lab, json!({ "count": 5, "stale": 2, "bad_signatures": 3 })).await;
    assert_eq!((&progress["unexpected"], &progress["rejected"]), (&json!(5), &json!(0)));
    assert_eq!(progress["surprises"].as_array().unwrap().len(), 5);
}
