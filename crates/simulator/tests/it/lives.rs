use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, until},
    receiver::Receiver,
};

/// Answers everything that waits, one call for each tool use, as often as it is asked to.
async fn answer_all(lab: &Lab) {
    let rows = lab.control(Method::GET, "/replies", json!({})).await;
    for row in rows.as_array().unwrap().iter().filter(|row| row["open"] == true) {
        let id = &row["tool_use_id"];
        let reply = match row["answered_by"].as_str().unwrap() {
            "user.custom_tool_result" => {
                json!({ "type": "user.custom_tool_result", "custom_tool_use_id": id })
            }
            kind => json!({ "type": kind, "tool_use_id": id, "result": "allow" }),
        };
        let path = format!("/v1/sessions/{}/events", row["session"].as_str().unwrap());
        let (status, refused) = lab.post(&path, json!({ "events": [reply] })).await;
        assert_eq!(status, 200, "{refused}");
    }
}

async fn lead(lab: &Lab, order: Value) -> Value {
    let id = lab.control(Method::POST, "/lives", order).await["id"].clone();
    let path = format!("/lives/{id}");
    let look = async || {
        answer_all(lab).await;
        lab.control(Method::GET, &path, json!({})).await
    };
    until(look, |progress| progress["done"] == true).await
}

#[tokio::test]
async fn sessions_wait_for_their_answers_and_live_to_their_end() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let order = json!({ "sessions": 20, "resources": 12, "asks": 0.6, "pace_ms": 5, "duplicates": 0.5, "drop": 0.3,
        "shuffle_ms": 20, "seed": 4 });
    let ended = lead(&lab, order).await;
    assert_eq!((&ended["ended"], &ended["unanswered"], &ended["failed"]), (&json!(32), &json!(0), &json!(0)));
    let rows = lab.control(Method::GET, "/replies", json!({})).await;
    let to_answer: Vec<&Value> =
        rows.as_array().unwrap().iter().filter(|row| row["answered_by"].is_string()).collect();
    assert_eq!(ended["asked"], to_answer.len());
    assert!(to_answer.iter().all(|row| row["accepted"] == 1 && row["refused"] == 0), "{to_answer:?}");
    let totals = async || lab.state().await["webhooks"].clone();
    let arrived = |totals: &Value| totals["acknowledged"].as_u64().unwrap();
    // Those that the last answers caused may still be on their way.
    let unique = || {
        let mut ids: Vec<String> =
            receiver.received().iter().map(|one| one.json()["id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        ids.len() as u64
    };
    let totals = until(totals, |totals| arrived(totals) == unique()).await;
    assert!(receiver.received().len() as u64 > arrived(&totals), "some come twice");
    let (share, all) = (totals["dropped"].as_u64().unwrap() * 100, arrived(&totals));
    assert!(share > all * 20 && share < all * 70, "{totals}: three of ten are lost");
}

#[tokio::test]
async fn a_session_that_is_not_answered_gives_up_when_told_to() {
    let lab = Lab::start().await;
    let order = json!({ "sessions": 1, "resources": 0, "turns": 1, "asks": 1.0, "pace_ms": 1, "patience_seconds": 0 });
    let id = lab.control(Method::POST, "/lives", order).await["id"].clone();
    let path = format!("/lives/{id}");
    let ended =
        until(async || lab.control(Method::GET, &path, json!({})).await, |progress| progress["done"] == true)
            .await;
    assert_eq!((&ended["unanswered"], &ended["ended"]), (&json!(1), &json!(1)));
}
