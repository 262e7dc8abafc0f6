//! The binary itself.

use std::{process::Stdio, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    lab::{Lab, SIGNING_KEY},
    receiver::Receiver,
};

fn simulator() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    command.kill_on_drop(true);
    command
}

/// Starts `serve` on a free port and reads that port from its log.
async fn serve(webhook_url: &str) -> (Child, String) {
    let mut child = simulator()
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--seed",
            "5",
            "--webhook-url",
            webhook_url,
            "--log",
            "info",
        ])
        .env("ANTHROPIC_WEBHOOK_SIGNING_KEY", SIGNING_KEY)
        .env("NO_COLOR", "1")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, rest)) = line.split_once("address=") {
            let address = rest.split(' ').next().unwrap();
            return (child, format!("http://{address}"));
        }
    }
    unreachable!("the simulator did not start");
}

#[tokio::test]
async fn serve_stops_in_time_and_with_0_on_sigterm() {
    let (mut child, url) = serve("http://127.0.0.1:9/").await;
    assert_eq!(reqwest::get(format!("{url}/livez")).await.unwrap().status(), 200);
    let pid = child.id().unwrap().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    let status =
        tokio::time::timeout(Duration::from_secs(10), child.wait()).await.expect("it hangs").unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn send_exits_with_0_when_all_went_as_expected_and_with_1_when_not() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let send = async || {
        let url = lab.simulator.base_url();
        let args =
            ["send", "--simulator", &url, "--count", "10", "--duplicates", "3", "--stale", "1", "--json"];
        let output = simulator().args(args).output().await.unwrap();
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap())
    };
    let (code, summary) = send().await;
    assert_eq!(
        (code, &summary["acknowledged"], &summary["skipped"], &summary["rejected"]),
        (Some(0), &json!(13), &json!(3), &json!(1))
    );

    lab.control(Method::PUT, "/endpoint", json!({ "enabled": false })).await;
    let (code, summary) = send().await;
    assert_eq!((code, &summary["unexpected"]), (Some(1), &json!(14)));
}

#[tokio::test]
async fn fault_and_state_drive_a_running_simulator() {
    let lab = Lab::start().await;
    let run = async |args: &[&str]| {
        let output =
            simulator().args(args).args(["--simulator", &lab.simulator.base_url()]).output().await.unwrap();
        assert!(output.status.success(), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    run(&["fault", "add", "/v1/sessions", "--status", "529", "--retry-after", "1"]).await;
    assert_eq!(lab.get("/v1/sessions").await.0, 529);
    assert_eq!(run(&["state"]).await["calls"]["by_status"]["529"], 1);
    assert_eq!(run(&["fault", "clear"]).await["rules"], json!([]));
    assert_eq!(lab.get("/v1/sessions").await.0, 200);
}

#[tokio::test]
async fn a_simulator_that_does_not_answer_is_an_error_with_its_address() {
    let output = simulator().args(["state", "--simulator", "http://127.0.0.1:9"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no simulator answers at http://127.0.0.1:9"));
}
