//! The programs that are measured, and the stand-in for the API, as processes.

use crate::stack::Stack;
use anyhow::Result;
use std::net::SocketAddr;
use std::time::Duration;
use testkit::Process;
use testkit::process::free_port;

/// Longest time until a program is ready.
const START: Duration = Duration::from_mins(1);

/// The three that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Bare,
    Obvious,
    Holdfast,
}

impl System {
    /// In the order in which each run measures them.
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Obvious, Self::Holdfast];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Obvious => "obvious",
            Self::Holdfast => "Holdfast",
        }
    }
}

/// A program that serves on a port of its own until it is dropped.
pub(crate) struct Server {
    process: Process,
    port: u16,
}

impl Server {
    /// Starts an endpoint and waits until it is ready.
    pub(crate) async fn start(system: System, stack: &Stack) -> Result<Self> {
        let mut environment = stack.environment();
        let arguments = match system {
            System::Bare => vec!["serve", "bare", "--secret", &stack.secret],
            System::Obvious => vec!["serve", "obvious", "--secret", &stack.secret],
            System::Holdfast => return Self::ingest(environment).await,
        };
        let queue = stack.queues.work();
        let mut arguments: Vec<&str> = arguments;
        if system == System::Obvious {
            arguments.extend(["--queue", &queue]);
        }
        environment.retain(|(name, _)| ["DATABASE_URL", "AMQP_URL"].contains(name));
        Self::stand_in(&arguments, &environment).await
    }

    /// Starts `ingest` with these settings.
    pub(crate) async fn ingest(mut environment: Vec<(&'static str, String)>) -> Result<Self> {
        let (port, internal) = (free_port()?, free_port()?);
        environment.push(("HOLDFAST_LISTEN", format!("127.0.0.1:{port}")));
        environment.push(("HOLDFAST_INTERNAL_LISTEN", format!("127.0.0.1:{internal}")));
        Self::spawn("ingest", &[], &environment, port, &format!("http://127.0.0.1:{internal}/readyz")).await
    }

    /// Starts a worker that asks `api`.
    pub(crate) async fn worker(stack: &Stack, api: &Self) -> Result<Self> {
        let internal = free_port()?;
        let mut environment = stack.environment();
        environment.push(("HOLDFAST_INTERNAL_LISTEN", format!("127.0.0.1:{internal}")));
        environment.push(("ANTHROPIC_BASE_URL", format!("http://{}", api.address())));
        environment.push(("ANTHROPIC_API_KEY", "sk-ant-bench".to_owned()));
        // What is measured is the worker and not the platform's limit.
        environment.push(("HOLDFAST_API_READS_PER_MINUTE", "0".to_owned()));
        environment.push(("HOLDFAST_API_WRITES_PER_MINUTE", "0".to_owned()));
        // The stand-in for the API lists nothing.
        environment.push(("HOLDFAST_RECONCILE_INTERVAL", "0s".to_owned()));
        let ready = format!("http://127.0.0.1:{internal}/readyz");
        Self::spawn("worker", &["run"], &environment, internal, &ready).await
    }

    /// Starts the stand-in for the API, which answers after `latency_ms`.
    pub(crate) async fn api(latency_ms: u64) -> Result<Self> {
        Self::stand_in(&["serve", "api", "--latency-ms", &latency_ms.to_string()], &[]).await
    }

    async fn stand_in(arguments: &[&str], environment: &[(&'static str, String)]) -> Result<Self> {
        let port = free_port()?;
        let port_text = port.to_string();
        let arguments = [arguments, &["--port", &port_text]].concat();
        Self::spawn("bench", &arguments, environment, port, &format!("http://127.0.0.1:{port}/ready")).await
    }

    async fn spawn(
        name: &str,
        arguments: &[&str],
        environment: &[(&'static str, String)],
        port: u16,
        ready: &str,
    ) -> Result<Self> {
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut process = Process::spawn(name, arguments, &environment)?;
        process.wait_ready(ready, START).await?;
        Ok(Self { process, port })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How many requests the stand-in for the API has had.
    pub(crate) async fn requests(&self) -> Result<u64> {
        Ok(reqwest::get(format!("http://{}/requests", self.address())).await?.json().await?)
    }
}
