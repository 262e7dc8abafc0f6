//! Processes of tests.

use anyhow::Result;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;
use testkit::process::{self, free_port};
use testkit::{Process, eventually};

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_binary_that_was_not_built_is_named_with_the_way_to_build_it() {
    let error = Process::spawn("no-such-binary", &[], &[]).expect_err("there is no such binary");
    let text = format!("{error:#}");
    assert!(text.contains("no-such-binary") && text.contains("cargo build --workspace"), "{text}");
}

#[test]
fn a_free_port_can_be_bound() -> Result<()> {
    TcpListener::bind(("127.0.0.1", free_port()?))?;
    Ok(())
}

#[tokio::test]
async fn a_process_can_be_read_signalled_and_waited_for() -> Result<()> {
    let script = "trap 'echo bye >&2; exit 7' TERM; echo hello; while :; do sleep 0.02; done";
    let mut process = Process::spawn("/bin/sh", &["-c", script], &[])?;
    eventually(PATIENCE, "a greeting", async || Ok(process.logs()?.contains("hello").then_some(()))).await?;
    process.sigterm()?;
    assert_eq!(process.wait_exit(PATIENCE).await?.code(), Some(7));
    assert_eq!(process.logs()?, "hello\nbye\n");
    assert!(process.sigterm().is_err(), "it has ended");
    Ok(())
}

#[tokio::test]
async fn a_dropped_process_does_not_run_on() -> Result<()> {
    let process = Process::spawn("/bin/sleep", &["600"], &[])?;
    let id = process.id();
    drop(process);
    let exists = format!("kill -0 {id}");
    let output = process::run("/bin/sh", &["-c", &exists], &[], PATIENCE).await?;
    assert!(!output.status.success(), "process {id} is still there");
    Ok(())
}

#[tokio::test]
async fn a_killed_process_ends_by_the_signal() -> Result<()> {
    let mut process = Process::spawn("/bin/sleep", &["600"], &[])?;
    process.kill()?;
    assert_eq!(process.wait_exit(PATIENCE).await?.signal(), Some(9));
    Ok(())
}

#[tokio::test]
async fn waiting_for_readiness_stops_when_the_process_has_ended() -> Result<()> {
    let mut process = Process::spawn("/bin/sh", &["-c", "echo broken settings; exit 3"], &[])?;
    let url = format!("http://127.0.0.1:{}/readyz", free_port()?);
    let error = process.wait_ready(&url, PATIENCE).await.expect_err("nobody listens");
    let text = format!("{error:#}");
    assert!(text.contains("exit status: 3") && text.contains("broken settings"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_process_gets_only_the_variables_of_the_test() -> Result<()> {
    let output = process::run("/usr/bin/env", &[], &[("GREETING", "hello")], PATIENCE).await?;
    let variables = String::from_utf8(output.stdout)?;
    assert!(variables.contains("GREETING=hello\n"), "{variables}");
    assert!(!variables.contains("CARGO_"), "{variables}");
    Ok(())
}
