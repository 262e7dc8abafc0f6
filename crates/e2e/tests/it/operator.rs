//! The person at the command line.

use crate::stack::Stack;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::Duration;
use testkit::process::run;

/// Longest time for a command.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `worker` with these arguments on the stack.
pub(crate) async fn worker(stack: &Stack, args: &[&str]) -> Result<Answer> {
    let mut environment = stack.environment();
    environment.retain(|(name, _)| *name != "RUST_LOG");
    let output = run("worker", args, &environment, PATIENCE).await?;
    Ok(Answer {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// Runs `worker … --json`, which must succeed, and reads what it prints.
pub(crate) async fn ask(stack: &Stack, args: &[&str]) -> Result<Value> {
    let answer = worker(stack, &[args, &["--json"]].concat()).await?;
    ensure!(answer.code == Some(0), "worker {args:?}: {answer:?}");
    serde_json::from_str(&answer.stdout).with_context(|| format!("worker {args:?}: {answer:?}"))
}
