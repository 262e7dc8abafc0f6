use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::lab::Lab;

async fn lab_with(rules: Value) -> Lab {
    let lab = Lab::start().await;
    lab.control(Method::PUT, "/sessions/sesn_1", json!({})).await;
    lab.control(Method::PUT, "/faults", rules).await;
    lab
}

#[tokio::test]
async fn a_fault_strikes_so_many_times_with_its_headers() {
    let rule = json!({ "path": "/v1/sessions/sesn_1", "status": 429, "times": 2, "retry_after": 3, "should_retry": true });
    let lab = lab_with(json!([rule])).await;
    for _ in 0..2 {
        let answer = lab.api(Method::GET, "/v1/sessions/sesn_1").send().await.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(
            (&answer.headers()["retry-after"], &answer.headers()["x-should-retry"]),
            (&"3".parse().unwrap(), &"true".parse().unwrap())
        );
        assert!(answer.headers().contains_key("request-id"));
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["type"], "rate_limit_error");
    }
    assert_eq!(lab.get("/v1/sessions/sesn_1").await.0, 200);
}

#[tokio::test]
async fn bodies_can_be_html_truncated_empty_or_cut_off() {
    let rule = |status: u16, body: &str| json!({ "path": "/v1", "status": status, "body": body, "times": 1 });
    let spoiled = json!({ "path": "/v1", "body": "truncated", "times": 1 });
    let cut = json!({ "path": "/v1", "body": "cut", "times": 1 });
    let lab = lab_with(json!([rule(502, "html"), rule(503, "empty"), spoiled, cut])).await;
    let fetch = || lab.api(Method::GET, "/v1/sessions/sesn_1").send();

    let html = fetch().await.unwrap();
    assert_eq!(html.headers()["content-type"], "text/html");
    let empty = fetch().await.unwrap();
    assert_eq!((empty.status().as_u16(), empty.text().await.unwrap().as_str()), (503, ""));
    let truncated = fetch().await.unwrap();
    assert_eq!(truncated.status(), 200);
    let half = truncated.text().await.unwrap();
    assert!(half.starts_with("{\"") && serde_json::from_str::<Value>(&half).is_err());
    let broken = fetch().await.unwrap();
    assert_eq!(broken.status(), 200);
    assert!(broken.bytes().await.is_err(), "the connection closes before the announced length");
    assert_eq!(lab.get("/v1/sessions/sesn_1").await.0, 200);
}

#[tokio::test]
async fn latency_delays_the_true_answer() {
    let lab = lab_with(json!([{ "path": "/v1/sessions/*", "latency_ms": 150 }])).await;
    let begun = Instant::now();
    assert_eq!(lab.get("/v1/sessions/sesn_1").await.1["id"], "sesn_1");
    assert!(begun.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_call_can_be_carried_out_and_still_fail() {
    let rule = json!({ "path": "/v1/sessions/sesn_1/events", "method": "POST", "status": 500, "times": 1, "phase": "after" });
    let lab = lab_with(json!([rule])).await;
    let hello =
        json!({ "events": [{ "type": "user.message", "content": [{ "type": "text", "text": "hi" }] }] });
    assert_eq!(lab.post("/v1/sessions/sesn_1/events", hello).await.0, 500);
    assert_eq!(lab.get("/v1/sessions/sesn_1").await.1["status"], "running");
}

#[tokio::test]
async fn clearing_ends_all_faults_and_a_wrong_rule_is_refused() {
    let lab = lab_with(json!([{ "path": "/v1", "status": 500 }])).await;
    assert_eq!(lab.get("/v1/sessions").await.0, 500);
    lab.control(Method::DELETE, "/faults", json!({})).await;
    assert_eq!(lab.get("/v1/sessions").await.0, 200);
    let typo = lab.http.put(lab.url("/_sim/faults")).json(&json!([{ "path": "/v1", "statsu": 500 }]));
    assert_eq!(typo.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_fault_can_be_for_pages_alone_as_when_cursors_expire() {
    let lab = lab_with(json!([{ "path": "/v1/sessions", "query": "page=", "status": 400 }])).await;
    lab.control(Method::PUT, "/sessions/sesn_2", json!({})).await;
    let (_, first) = lab.get("/v1/sessions?limit=1").await;
    let next = first["next_page"].as_str().unwrap();
    let (status, refused) = lab.get(&format!("/v1/sessions?limit=1&page={next}")).await;
    assert_eq!((status.as_u16(), &refused["error"]["type"]), (400, &json!("invalid_request_error")));
}

#[tokio::test]
async fn the_last_page_can_lack_its_cursor_and_bodies_can_come_slowly() {
    let rule = |body: &str| json!({ "path": "/v1/sessions", "body": body, "latency_ms": 100, "times": 1 });
    let lab = lab_with(json!([rule("no_next_page"), rule("slow")])).await;
    let (_, page) = lab.get("/v1/sessions").await;
    assert_eq!((page["data"].as_array().unwrap().len(), page.get("next_page")), (1, None));
    let begun = Instant::now();
    let answer = lab.api(Method::GET, "/v1/sessions").send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["data"][0]["id"], "sesn_1");
    assert!(begun.elapsed() >= Duration::from_millis(100));
}
