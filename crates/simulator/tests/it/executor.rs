use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use signing::Secret;
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    lab::{Lab, SIGNING_KEY},
    receiver::unix_seconds,
};

fn call(tool: &str, input: &Value, attempt: u64) -> String {
    json!({ "type": "tool_call", "tool_use_id": "sevt_1", "kind": "custom_tool_use", "tool": tool, "server": null,
        "input": input, "session": { "id": "sesn_1", "title": "Refund" }, "agent": { "id": "agent_1", "name": "A" },
        "attempt": attempt })
    .to_string()
}

/// A call signed with a secret, as a worker makes it.
async fn send(url: &str, secret: &str, body: String) -> (StatusCode, Value) {
    let now = unix_seconds();
    let signature = signing::sign(&Secret::parse(secret).unwrap(), "sevt_1", now, body.as_bytes());
    let request = Client::builder().build().unwrap().post(url);
    let request = request.header("webhook-id", "sevt_1").header("webhook-timestamp", now.to_string());
    let answer = request.header("webhook-signature", signature).body(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_mounted_executor_verifies_fails_as_told_and_counts() {
    let lab =
        Lab::with(simulator::Options { signing_key: Some(SIGNING_KEY.into()), ..Default::default() }).await;
    lab.control(Method::PUT, "/executor", json!({ "fail": 1 })).await;
    let url = lab.url("/_sim/executor");
    let refund = |attempt| call("issue_refund", &json!({ "order_id": "8841" }), attempt);
    assert_eq!(send(&url, SIGNING_KEY, refund(1)).await.0, 500);
    let (status, body) = send(&url, SIGNING_KEY, refund(2)).await;
    assert_eq!((status.as_u16(), &body["receipt"]), (200, &json!("rcpt_1")));
    let other = "whsec_c2VjcmV0Cg==";
    assert_eq!(send(&url, other, refund(3)).await.0, 401);
    let counted = lab.control(Method::GET, "/executor", json!({})).await;
    let expected =
        json!({ "tool": "issue_refund", "kind": "custom_tool_use", "calls": 2, "failed": 1, "attempt": 2 });
    assert_eq!((&counted["tool_uses"]["sevt_1"], &counted["rejected"]), (&expected, &json!(1)));
}

/// Starts `simulator executor` on a free port and reads that port from its log.
async fn executor(more: &[&str]) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    command.args(["executor", "--listen", "127.0.0.1:0", "--secret", SIGNING_KEY]).args(more);
    let mut child = command
        .env("NO_COLOR", "1")
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, rest)) = line.split_once("address=") {
            return (child, format!("http://{}/tools", rest.split(' ').next().unwrap()));
        }
    }
    unreachable!("the executor did not start");
}

#[tokio::test]
async fn the_executor_is_a_program_of_its_own_too() {
    let (mut child, url) = executor(&["--delay", "1"]).await;
    let (status, body) = send(&url, SIGNING_KEY, call("echo", &json!({ "text": "hello" }), 1)).await;
    assert_eq!((status.as_u16(), body), (200, json!({ "content": "hello" })));
    assert_eq!(send(&url, SIGNING_KEY, "{}".to_owned()).await.0, 400);
    let counts: Value = reqwest::get(url.replace("/tools", "/")).await.unwrap().json().await.unwrap();
    assert_eq!((&counts["total"], &counts["rejected"]), (&json!(1), &json!(1)));
    let pid = child.id().unwrap().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}
