use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, answer},
    receiver::Receiver,
};

#[tokio::test]
async fn a_child_thread_is_created_idles_and_ends_with_its_webhooks() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let (session, played) = lab.play("thread_lifecycle", json!({})).await;
    let (_, threads) = lab.get(&format!("/v1/sessions/{session}/threads")).await;
    let (primary, child) = (&threads["data"][0], &threads["data"][1]);
    assert_eq!((&primary["parent_thread_id"], &child["parent_thread_id"]), (&Value::Null, &primary["id"]));
    assert_eq!(child["status"], "terminated");

    let path = format!("/v1/sessions/{session}/threads/{}", child["id"].as_str().unwrap());
    assert_eq!(lab.get(&path).await.1, *child);
    let (_, events) = lab.get(&format!("{path}/events")).await;
    let kinds: Vec<_> =
        events["data"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(
        kinds,
        [
            "session.thread_created",
            "session.thread_status_running",
            "session.thread_status_idle",
            "session.thread_status_terminated",
        ]
    );
    assert_eq!(played["webhooks"].as_array().unwrap().len(), 4);
    let about_threads = receiver.received().into_iter().map(|one| one.json()["data"].clone());
    let about_threads: Vec<_> =
        about_threads.filter(|data| data.get("session_thread_id").is_some()).collect();
    assert_eq!(about_threads.len(), 3);
    for data in about_threads {
        assert_eq!((&data["id"], &data["session_thread_id"]), (&json!(session), &child["id"]));
    }
}

#[tokio::test]
async fn only_an_idle_child_can_be_archived() {
    let lab = Lab::start().await;
    let (session, _) = lab.play("thread_created", json!({})).await;
    let threads = format!("/v1/sessions/{session}/threads");
    let (_, list) = lab.get(&threads).await;
    let archive =
        |number: usize| format!("{threads}/{}/archive", list["data"][number]["id"].as_str().unwrap());
    assert_eq!(answer(lab.api(Method::POST, &archive(0))).await.0, 400, "the primary thread");
    assert_eq!(answer(lab.api(Method::POST, &archive(1))).await.0, 400, "a running one");
    lab.play("thread_idled", json!({ "session": session })).await;
    let (status, archived) = answer(lab.api(Method::POST, &archive(1))).await;
    assert_eq!((status.as_u16(), &archived["status"]), (200, &json!("terminated")));
    assert!(archived["archived_at"].is_string());
    assert_eq!(lab.get(&format!("{threads}/sthr_none")).await.0, 404);
}
