//! Real signals to a real process: the example `lifecycle`.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use testkit::process::free_port;
use testkit::{Process, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

/// A started process and the base URL of its internal listener.
async fn start(behaviour: &str) -> Result<(Process, String)> {
    let address = format!("127.0.0.1:{}", free_port()?);
    let mut process = Process::spawn("examples/lifecycle", &[behaviour, &address], &[])?;
    let url = format!("http://{address}");
    process.wait_ready(&format!("{url}/readyz"), PATIENCE).await?;
    Ok((process, url))
}

#[tokio::test]
async fn sigterm_lets_work_finish_and_exits_with_0() -> Result<()> {
    for signal in ["TERM", "INT"] {
        let (mut process, _url) = start("finish").await?;
        process.signal(signal)?;
        assert_eq!(process.wait_exit(PATIENCE).await?.code(), Some(0));
        let logs = process.logs()?;
        assert!(logs.contains("work is finished"), "{logs}");
    }
    Ok(())
}

#[tokio::test]
async fn a_process_that_hangs_is_not_ready_and_ends_at_the_deadline() -> Result<()> {
    let (mut process, url) = start("hang").await?;
    process.sigterm()?;
    let start = Instant::now();
    eventually(PATIENCE, "the process not to be ready", async || {
        let status = reqwest::get(format!("{url}/readyz")).await?.status();
        anyhow::ensure!(status.as_u16() == 503, "{status}");
        Ok(Some(()))
    })
    .await?;
    assert_eq!(process.wait_exit(PATIENCE).await?.code(), Some(0));
    assert!(start.elapsed() >= Duration::from_millis(1500), "it had two seconds to finish");
    let logs = process.logs()?;
    let line = logs.lines().find(|line| line.contains("time to finish is over")).context("no such line")?;
    assert!(line.contains(r#""unfinished":"work""#), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_the_wait() -> Result<()> {
    let (mut process, _url) = start("hang").await?;
    process.sigterm()?;
    eventually(PATIENCE, "the first signal to arrive", async || {
        Ok(process.logs()?.contains("shutting down").then_some(()))
    })
    .await?;
    let start = Instant::now();
    process.sigterm()?;
    assert_eq!(process.wait_exit(PATIENCE).await?.code(), Some(0));
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    Ok(())
}

/// How a process that is not asked to end ends: its exit code and what it printed.
async fn end(args: &[&str]) -> Result<(Option<i32>, String)> {
    let mut process = Process::spawn("examples/lifecycle", args, &[])?;
    let code = process.wait_exit(PATIENCE).await?.code();
    Ok((code, process.logs()?))
}

#[tokio::test]
async fn a_failed_task_is_printed_with_its_cause_and_exits_with_1() -> Result<()> {
    let (code, logs) = end(&["fail", "127.0.0.1:0"]).await?;
    assert_eq!(code, Some(1), "{logs}");
    assert!(logs.ends_with("lifecycle: task work failed: nothing works\n"), "{logs}");
    Ok(())
}

#[tokio::test]
async fn a_panic_is_a_log_line_and_exits_with_1() -> Result<()> {
    let (code, logs) = end(&["something else", "127.0.0.1:0"]).await?;
    assert_eq!(code, Some(1), "{logs}");
    let panic = logs.lines().find(|line| line.contains("unknown behaviour")).context("no panic")?;
    assert!(panic.starts_with('{'), "{panic}");
    Ok(())
}

#[tokio::test]
async fn bad_usage_exits_with_64() -> Result<()> {
    assert_eq!(end(&[]).await?.0, Some(64));
    assert_eq!(end(&["finish", "nowhere"]).await?.0, Some(64));
    Ok(())
}
