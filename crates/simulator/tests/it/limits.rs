use reqwest::Method;
use serde_json::{Value, json};
use simulator::Options;

use crate::{
    lab::{Lab, SIGNING_KEY, until},
    receiver::Receiver,
};

async fn losing(receiver: &Receiver, drop: f64) -> Lab {
    let (webhook_url, signing_key) = (Some(receiver.url()), Some(SIGNING_KEY.to_owned()));
    Lab::with(Options { webhook_url, signing_key, drop, ..Options::default() }).await
}

#[tokio::test]
async fn the_share_that_gets_lost_is_the_same_with_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let receiver = Receiver::start(&[]);
        let lab = losing(&receiver, 0.3).await;
        for _ in 0..60 {
            lab.play("created", json!({})).await;
        }
        let totals = lab.state().await["webhooks"].clone();
        let lost = totals["dropped"].as_u64().unwrap();
        assert!((5..35).contains(&lost), "{lost} of 60");
        assert_eq!(receiver.received().len() as u64, 60 - lost);
        let mut ids: Vec<Value> = receiver.received().iter().map(|one| one.json()["id"].clone()).collect();
        ids.sort_by_key(Value::to_string);
        runs.push(ids);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_batch_can_lose_a_share_of_its_events_without_surprise() {
    let receiver = Receiver::start(&[]);
    let lab = losing(&receiver, 0.0).await;
    let order = json!({ "count": 60, "sessions": 6, "drop": 0.5, "seed": 3 });
    let id = lab.control(Method::POST, "/send", order).await["id"].clone();
    let path = format!("/send/{id}");
    let ended =
        until(async || lab.control(Method::GET, &path, json!({})).await, |now| now["done"] == true).await;
    let (sent, dropped) = (ended["sent"].as_u64().unwrap(), ended["dropped"].as_u64().unwrap());
    assert_eq!((sent + dropped, &ended["unexpected"], &ended["planned"]), (60, &json!(0), &json!(sent)));
    assert!(dropped > 10 && sent > 10, "{ended}");
}

#[tokio::test]
async fn calls_beyond_the_limit_are_told_when_to_come_back() {
    let lab = Lab::with(Options { requests_per_minute: Some(2), ..Options::default() }).await;
    assert_eq!(lab.get("/v1/sessions").await.0, 200);
    assert_eq!(lab.get("/v1/sessions").await.0, 200);
    let refused = lab.api(Method::GET, "/v1/sessions").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refused.headers().contains_key("request-id"));
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["type"], "rate_limit_error");
    assert_eq!(lab.state().await["throttled"], 1);
    lab.control(Method::PUT, "/limit", json!({ "requests_per_minute": null })).await;
    assert_eq!(lab.get("/v1/sessions").await.0, 200);
}
