//! The real binaries as processes of a test.

use crate::{environment, eventually};
use anyhow::{Context, Result, bail, ensure};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::NamedTempFile;

/// The only variables a child gets from the surroundings. Everything else a test passes itself, so that a developer's
/// `RUST_LOG` or `DATABASE_URL` does not change what is tested.
const INHERITED: [&str; 4] = ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"];

/// How much of the log a failure shows.
const TAIL_LINES: usize = 40;

/// A running binary of the workspace, or one that has ended and whose log can still be read.
///
/// Cleans up: kills the process and removes its log when it is dropped; when that happens because a test panics, the end
/// of the log is printed first. The process stays in the test's process group, so a Ctrl-C or a test runner that kills
/// the group reaches it as well.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: NamedTempFile,
}

impl Process {
    /// Starts the workspace's binary `name` (or the program at an absolute path), with these arguments and variables and
    /// nearly nothing else. Standard output and standard error go to one log.
    ///
    /// # Errors
    /// When the binary has not been built or cannot be started.
    pub fn spawn(name: &str, args: &[&str], envs: &[(&str, &str)]) -> Result<Self> {
        let log = NamedTempFile::new().context("cannot create a file for the log")?;
        // One handle, cloned: two would each have an offset of their own and overwrite each other's lines.
        let stdout = log.reopen().context("cannot open the log")?;
        let stderr = stdout.try_clone().context("cannot share the log")?;
        let child = command(name, args, envs)?
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// What the process has printed so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn logs(&self) -> Result<String> {
        let bytes = std::fs::read(self.log.path()).context("cannot read the log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The operating system's id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `url` answers 200, for example the readiness of an internal listener.
    ///
    /// # Errors
    /// When the process ends first or `deadline` passes; both show the end of the log.
    pub async fn wait_ready(&mut self, url: &str, deadline: Duration) -> Result<()> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()
            .context("cannot build an HTTP client")?;
        let what = format!("{} to answer 200 at {url}", self.name);
        let ended = eventually(deadline, &what, async || {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(Some(status)));
            }
            let answer = client.get(url).send().await?;
            let status = answer.status();
            ensure!(status.as_u16() == 200, "{status}: {}", answer.text().await?);
            Ok(Some(None))
        })
        .await
        .with_context(|| self.tail())?;
        match ended {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status} before it was ready\n{}", self.name, self.tail()),
        }
    }

    /// Asks the process to end, as an orchestrator does.
    ///
    /// # Errors
    /// When the process has already ended.
    pub fn sigterm(&mut self) -> Result<()> {
        self.signal("TERM")
    }

    /// Sends the signal of this name (`TERM`, `INT`, `STOP`, `CONT`).
    ///
    /// # Errors
    /// When the process has already ended.
    pub fn signal(&mut self, name: &str) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} cannot be sent SIG{name}: it ended with {status}\n{}", self.name, self.tail());
        }
        // The child has not been waited for, so its id cannot belong to anybody else.
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status()
            .context("cannot run sh")?;
        ensure!(status.success(), "cannot send SIG{name} to {}", self.name);
        Ok(())
    }

    /// Kills the process at once, as a crash of the machine would, and waits for its end.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(())
    }

    /// Waits for the end of the process.
    ///
    /// # Errors
    /// When it still runs after `deadline`; shows the end of the log.
    pub async fn wait_exit(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let ended = eventually(deadline, &what, async || Ok(self.child.try_wait()?)).await;
        ended.with_context(|| self.tail())
    }

    fn tail(&self) -> String {
        let logs = self.logs().unwrap_or_else(|error| format!("{error:#}"));
        let lines: Vec<&str> = logs.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default();
        format!("end of the log of {}:\n{}", self.name, tail.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.tail());
        }
        if let Err(error) = self.kill() {
            eprintln!("{error:#}");
        }
    }
}

/// Runs the workspace's binary `name` to its end, for commands that print and exit.
///
/// Cleans up: kills the process when `deadline` passes or the caller stops waiting.
///
/// # Errors
/// When the binary has not been built, cannot be started or does not end within `deadline`. A non-zero exit is no error.
pub async fn run(name: &str, args: &[&str], envs: &[(&str, &str)], deadline: Duration) -> Result<Output> {
    let mut command = tokio::process::Command::from(command(name, args, envs)?);
    let output = command.kill_on_drop(true).output();
    tokio::time::timeout(deadline, output)
        .await
        .with_context(|| format!("{name} {args:?} still runs after {deadline:?}"))?
        .with_context(|| format!("cannot run {name}"))
}

/// A port of 127.0.0.1 that was free a moment ago.
///
/// # Errors
/// When no port can be bound.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot bind a port")?;
    Ok(listener.local_addr().context("a listener without an address")?.port())
}

fn command(name: &str, args: &[&str], envs: &[(&str, &str)]) -> Result<Command> {
    let mut command = Command::new(binary(name)?);
    command.args(args).stdin(Stdio::null()).env_clear();
    for name in INHERITED {
        if let Some(value) = environment::optional(name) {
            command.env(name, value);
        }
    }
    command.envs(envs.iter().copied());
    Ok(command)
}

/// An absolute path replaces the folder when it is joined to it. Cargo puts test executables into `target/<profile>/deps` and binaries one folder above.
fn binary(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("cannot find the test's own executable")?;
    let mut folder = test.parent().context("the test's executable has no folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("the deps folder has no parent")?;
    }
    let path = folder.join(name);
    ensure!(
        path.is_file(),
        "{} does not exist: build the workspace first, with `cargo build --workspace` in the same profile",
        path.display()
    );
    Ok(path)
}
