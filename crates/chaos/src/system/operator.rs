//! What a person would do at the command line.

use anyhow::{Context, Result};
use std::process::Output;
use std::time::Duration;
use testkit::process;

/// Longest time for a command.
const COMMAND: Duration = Duration::from_mins(3);

/// Runs `worker` commands, past the proxies.
pub(crate) struct Operator {
    settings: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit code; none when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Operator {
    pub(crate) const fn new(settings: Vec<(&'static str, String)>) -> Self {
        Self { settings }
    }

    /// `worker ARGS`.
    pub(crate) async fn worker(&self, args: &[&str]) -> Result<Answer> {
        self.worker_armed(args, "").await
    }

    /// `worker ARGS` with failpoints armed.
    pub(crate) async fn worker_armed(&self, args: &[&str], failpoints: &str) -> Result<Answer> {
        let mut environment: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        environment.push(("HOLDFAST_FAILPOINTS", failpoints));
        let Output { status, stdout, stderr } = process::run("worker", args, &environment, COMMAND).await?;
        let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        Ok(Answer { code: status.code(), text })
    }

    /// The same, which must succeed.
    pub(crate) async fn must(&self, args: &[&str]) -> Result<String> {
        let answer = self.worker(args).await?;
        (answer.code == Some(0)).then_some(()).with_context(|| format!("worker {args:?}: {answer:?}"))?;
        Ok(answer.text)
    }
}
