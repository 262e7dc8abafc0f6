//! The private Postgres and RabbitMQ, which scripts/servers starts and this kills.

use crate::scenario::Server;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// The name under which scripts/servers knows them.
const INSTANCE: &str = "chaos";

/// Longest time for a start of both.
const START: Duration = Duration::from_mins(3);

/// How often a start is tried: a killed Postgres leaves shared memory behind until its last child has noticed.
const STARTS: u32 = 5;

/// The pair of servers.
#[derive(Debug)]
pub(crate) struct Servers {
    script: PathBuf,
    home: PathBuf,
}

impl Servers {
    /// Those of the checkout at `root`.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let script = root.join("scripts/servers").canonicalize().context("there is no scripts/servers")?;
        Ok(Self { script, home: root.join(".local").join(INSTANCE) })
    }

    /// Starts what does not run, and waits until it answers.
    pub(crate) async fn start(&self) -> Result<()> {
        let mut output = String::new();
        for _ in 0..STARTS {
            let mut command = Command::new(&self.script);
            command.args(["start", INSTANCE]).stdin(Stdio::null()).kill_on_drop(true);
            let ended = timeout(START, command.output()).await.context("the servers do not start")?;
            let ended = ended.context("cannot run scripts/servers")?;
            if ended.status.success() {
                return Ok(());
            }
            output = String::from_utf8_lossy(&ended.stderr).into_owned();
            sleep(Duration::from_secs(1)).await;
        }
        anyhow::bail!("the servers do not start: {output}")
    }

    /// `kill -9`, as a crash of its machine would end it: with all its children.
    pub(crate) async fn kill(&self, server: Server) -> Result<()> {
        let (file, mark) = match server {
            Server::Postgres => ("postgres/data/postmaster.pid", "postgres"),
            Server::RabbitMq => ("rabbitmq/pid", "holdfast-chaos"),
        };
        let text = std::fs::read_to_string(self.home.join(file));
        let text = text.with_context(|| format!("{server:?} has left no process id"))?;
        let pid: u32 = text.lines().next().unwrap_or_default().trim().parse().context("no process id")?;
        // An id may have passed to a stranger.
        let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        ensure!(String::from_utf8_lossy(&command_line).contains(mark), "process {pid} is not {server:?}");
        let mut ids = vec![pid.to_string()];
        if server == Server::Postgres {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            ids.extend(children.unwrap_or_default().split_whitespace().map(str::to_owned));
        }
        // A child may be gone by the time that its turn comes.
        let mut command = Command::new("kill");
        command.arg("-KILL").args(&ids).stderr(Stdio::null());
        command.status().await.context("cannot run kill")?;
        while Path::new(&format!("/proc/{pid}")).exists() {
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Removes what RabbitMQ, which must not run, has stored.
    pub(crate) async fn forget_messages(&self) -> Result<()> {
        let data = self.home.join("rabbitmq/data");
        tokio::fs::remove_dir_all(&data).await.with_context(|| format!("cannot remove {}", data.display()))
    }
}
