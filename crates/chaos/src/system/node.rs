//! One process of ours, at addresses that it keeps over restarts.

use crate::load::Address;
use crate::scenario::Role;
use anyhow::{Result, bail, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::Process;
use testkit::process::free_port;

/// Longest time until a process is ready; it takes some hundred milliseconds on a quiet machine.
const START: Duration = Duration::from_mins(1);

/// Longest time that a process may take to end after SIGTERM: its drain, and some more.
const END: Duration = Duration::from_secs(25);

/// How often other ports are tried when somebody took one between finding and binding it.
const PORT_ATTEMPTS: u32 = 5;

/// The variable that arms failpoints.
const FAILPOINTS: &str = "HOLDFAST_FAILPOINTS";

/// A running `ingest` or `worker run`.
pub(crate) struct Node {
    role: Role,
    settings: Vec<(&'static str, String)>,
    port: u16,
    internal_port: u16,
    process: Process,
    ready: Arc<AtomicBool>,
    /// What its predecessors have logged.
    old_logs: String,
}

impl Node {
    /// Starts a process and waits until it is ready.
    pub(crate) async fn start(role: Role, settings: Vec<(&'static str, String)>) -> Result<Self> {
        for _ in 0..PORT_ATTEMPTS {
            let (port, internal_port) = (free_port()?, free_port()?);
            let process = spawn(role, &settings, port, internal_port, "")?;
            let settings = settings.clone();
            let (ready, old_logs) = (Arc::new(AtomicBool::new(false)), String::new());
            let mut node = Self { role, settings, port, internal_port, process, ready, old_logs };
            match node.wait_ready().await {
                Ok(()) => return Ok(node),
                // It ended: the port was taken in between.
                Err(_) if node.has_ended().await => {}
                Err(error) => return Err(error),
            }
        }
        bail!("no port stays free for long enough")
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts it again and waits until it is ready. The old one must have ended.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.respawn("")?;
        self.wait_ready().await
    }

    /// Starts it again with failpoints armed, and does not wait. The old one must have ended.
    pub(crate) fn respawn(&mut self, failpoints: &str) -> Result<()> {
        self.old_logs = self.logs()?;
        self.ready.store(false, Ordering::Relaxed);
        self.process = spawn(self.role, &self.settings, self.port, self.internal_port, failpoints)?;
        Ok(())
    }

    /// Asks it to end, waits for that, and starts it again.
    pub(crate) async fn roll(&mut self) -> Result<()> {
        self.process.sigterm()?;
        let status = self.process.wait_exit(END).await?;
        ensure!(status.code() == Some(0), "{} ended with {status} after SIGTERM", self.name());
        self.restart().await
    }

    /// Whether it does not run any more.
    pub(crate) async fn has_ended(&mut self) -> bool {
        self.process.wait_exit(Duration::from_millis(1)).await.is_ok()
    }

    /// Waits until it is ready.
    pub(crate) async fn wait_ready(&mut self) -> Result<()> {
        let url = format!("http://127.0.0.1:{}/readyz", self.internal_port);
        self.process.wait_ready(&url, START).await?;
        self.ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Where it takes deliveries, and what a load balancer knows of it: a new process gets none before it is ready, while
    /// the end of one comes as a surprise.
    pub(crate) fn address(&self) -> Address {
        let url = format!("http://127.0.0.1:{}/webhooks/default", self.port);
        Address { url, ready: Arc::clone(&self.ready) }
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self.role {
            Role::Ingest => "ingest",
            Role::Worker => "worker",
        }
    }

    /// All that was logged, before restarts too.
    pub(crate) fn logs(&self) -> Result<String> {
        Ok(format!("{}--- started\n{}", self.old_logs, self.process.logs()?))
    }
}

fn spawn(
    role: Role,
    settings: &[(&'static str, String)],
    port: u16,
    internal_port: u16,
    failpoints: &str,
) -> Result<Process> {
    let (listen, internal) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{internal_port}"));
    let mut environment: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    environment.push(("HOLDFAST_INTERNAL_LISTEN", &internal));
    if !failpoints.is_empty() {
        environment.push((FAILPOINTS, failpoints));
    }
    match role {
        Role::Ingest => {
            environment.push(("HOLDFAST_LISTEN", &listen));
            Process::spawn("ingest", &[], &environment)
        }
        Role::Worker => Process::spawn("worker", &["run"], &environment),
    }
}
