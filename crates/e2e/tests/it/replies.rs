//! Decisions, and workers that are killed while they post them.

use crate::stack::Stack;
use crate::system::{PATIENCE, System};
use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

/// The lines at which the worker dies, from taking a reply to its acknowledgement.
const LINES: [&str; 4] = ["replies.taken", "replies.posted", "replies.written", "replies.committed"];

/// A session waits for the result of a custom tool, and a person sees it. Returns the tool use.
async fn question(system: &System) -> Result<String> {
    let played = system.stage.play("requires_action", json!({ "tools": [{}] })).await?;
    let session = played["id"].as_str().context("no session")?;
    let truth = system.stage.truth(session).await?;
    let tool_use = truth["blocking"][0].as_str().context("the session waits for nothing")?.to_owned();
    eventually(PATIENCE, &format!("a review of {tool_use}"), async || {
        let rows = system.stack.rows("SELECT key FROM effects JOIN reviews ON effect = effects.id").await?;
        ensure!(rows.iter().any(|row| row["key"] == *tool_use), "{rows:?}");
        Ok(Some(()))
    })
    .await?;
    Ok(tool_use)
}

/// What the platform says of the answers to a tool use.
async fn answers(system: &System, tool_use: &str) -> Result<Value> {
    let replies = system.stage.control(Method::GET, "/replies", json!({})).await?;
    let mut replies = replies.as_array().into_iter().flatten();
    replies.find(|reply| reply["tool_use_id"] == tool_use).cloned().context("no such tool use")
}

#[tokio::test]
async fn a_worker_that_is_killed_after_the_post_answers_once() -> Result<()> {
    let mut stack = Stack::new().await?;
    stack.set("HOLDFAST_REPLY_LEASE", "5s");
    let mut system = System::start_on(stack).await?;
    for line in LINES {
        system.stack.set("HOLDFAST_FAILPOINTS", format!("{line}=abort"));
        system.crash_worker(0).await?;
        let tool_use = question(&system).await?;
        system.ask(&["reviews", "answer", &tool_use, "--text", "refund issued", "--as", "ada"]).await?;
        let worker = system.workers.first_mut().context("no worker")?;
        let exit = worker.process.wait_exit(PATIENCE).await?;
        assert_eq!(exit.code(), None, "{line}: killed");

        system.stack.set("HOLDFAST_FAILPOINTS", "");
        let (stack, workers) = (&system.stack, &mut system.workers);
        workers.first_mut().context("no worker")?.restart(stack).await?;
        let story = system.event(&format!("reply_{tool_use}_1"), "applied").await?;
        assert_eq!((&story["tries"], &story["source"]), (&json!(0), &json!("reply")), "{line}");
        let answered = answers(&system, &tool_use).await?;
        let expected = (&json!(1), &json!(0), &json!(false));
        assert_eq!((&answered["accepted"], &answered["refused"], &answered["open"]), expected, "{line}");
        let shown = system.ask(&["reviews", "show", &tool_use]).await?;
        assert_eq!(shown["status"], "answered", "{line}: {shown}");
    }
    system.balanced().await?;
    Ok(())
}
