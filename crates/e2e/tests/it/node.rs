//! One process of a system.

use crate::stack::Stack;
use anyhow::{Context, Result, bail};
use std::time::Duration;
use testkit::Process;
use testkit::process::free_port;

/// Longest time until a process is ready; it takes some hundred milliseconds on a quiet machine.
const START: Duration = Duration::from_secs(30);

/// How often other ports are tried when somebody took one between finding and binding it.
const PORT_ATTEMPTS: u32 = 5;

/// The exit code of a process that cannot listen.
const USAGE: i32 = 64;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Ingest,
    Worker,
}

/// A running `ingest` or `worker run`, on ports that it keeps over restarts.
pub(crate) struct Node {
    role: Role,
    port: u16,
    internal_port: u16,
    pub(crate) process: Process,
    /// What its predecessors, which are dead, have logged.
    old_logs: String,
}

impl Node {
    /// Starts a process and waits until it is ready.
    pub(crate) async fn start(role: Role, stack: &Stack) -> Result<Self> {
        for _ in 0..PORT_ATTEMPTS {
            let (port, internal_port) = (free_port()?, free_port()?);
            let process = spawn(role, stack, port, internal_port)?;
            let mut node = Self { role, port, internal_port, process, old_logs: String::new() };
            match node.wait_ready().await {
                Ok(()) => return Ok(node),
                Err(error) if !node.could_not_listen().await => return Err(error),
                Err(_port_was_taken) => {}
            }
        }
        bail!("no port stays free for long enough")
    }

    /// Kills the process as a crash would.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts the process again at its old addresses and waits until it is ready. The old one must have ended.
    pub(crate) async fn restart(&mut self, stack: &Stack) -> Result<()> {
        self.old_logs = self.logs()?;
        self.process = spawn(self.role, stack, self.port, self.internal_port)?;
        self.wait_ready().await
    }

    /// The URL of the webhook endpoint.
    pub(crate) fn webhook_url(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks/default", self.port)
    }

    /// All that was logged, before restarts too.
    pub(crate) fn logs(&self) -> Result<String> {
        Ok(format!("{}{}", self.old_logs, self.process.logs()?))
    }

    /// The value of a series of `/metrics`, written `name{label="value"}`; 0 when there is none.
    pub(crate) async fn metric(&self, series: &str) -> Result<f64> {
        let page = reqwest::get(self.internal_url("/metrics")).await?.text().await?;
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(Ok(0.0), |value| value.parse().with_context(|| format!("{series} is {value}")))
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let url = self.internal_url("/readyz");
        self.process.wait_ready(&url, START).await
    }

    fn internal_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.internal_port)
    }

    async fn could_not_listen(&mut self) -> bool {
        let ended = self.process.wait_exit(Duration::from_millis(100)).await;
        ended.is_ok_and(|status| status.code() == Some(USAGE))
    }
}

fn spawn(role: Role, stack: &Stack, port: u16, internal_port: u16) -> Result<Process> {
    let (listen, internal) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{internal_port}"));
    let mut environment = stack.environment();
    environment.push(("HOLDFAST_INTERNAL_LISTEN", &internal));
    match role {
        Role::Ingest => {
            environment.push(("HOLDFAST_LISTEN", &listen));
            Process::spawn("ingest", &[], &environment)
        }
        Role::Worker => Process::spawn("worker", &["run"], &environment),
    }
}
