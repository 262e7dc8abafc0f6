//! The internal listener.

use anyhow::{Context, Result};
use prometheus_client::metrics::counter::Counter;
use runtime::{Error, Health, HealthServer, Tasks, listen};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use telemetry::Registry;

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Starts serving what `build` makes of an empty report, and returns the base URL.
fn serve(tasks: &Tasks, registry: Registry, build: impl FnOnce(Health) -> Health) -> Result<String> {
    let listener = listen(LOCAL, "--internal-listen (HOLDFAST_INTERNAL_LISTEN)")?;
    let url = format!("http://{}", listener.local_addr()?);
    let health = build(Health::new(tasks.shutdown().clone(), Arc::new(registry)));
    let server = HealthServer::new(listener, health);
    tasks.spawn_lasting("health", async { Ok(server.serve().await?) });
    Ok(url)
}

async fn get(url: String) -> Result<(u16, String)> {
    let answer = reqwest::get(url).await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_what_is_missing_and_recovers() -> Result<()> {
    let tasks = Tasks::new();
    let connected = Arc::new(AtomicBool::new(false));
    let check = Arc::clone(&connected);
    let url = serve(&tasks, Registry::default(), |health| {
        health.ready_when("store", move || {
            check.load(Ordering::SeqCst).then_some(()).ok_or_else(|| "no connection".to_owned())
        })
    })?;
    let not_ready = r#"{"reasons":["store: no connection"],"status":"not ready"}"#;
    assert_eq!(get(format!("{url}/readyz")).await?, (503, not_ready.to_owned()));
    assert_eq!(get(format!("{url}/livez")).await?, (200, r#"{"status":"live"}"#.to_owned()));
    connected.store(true, Ordering::SeqCst);
    assert_eq!(get(format!("{url}/readyz")).await?, (200, r#"{"status":"ready"}"#.to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_process_is_not_live() -> Result<()> {
    let tasks = Tasks::new();
    let url = serve(&tasks, Registry::default(), |health| {
        health.live_when("consumer", || Err("no progress for 120 s".to_owned()))
    })?;
    let not_live = r#"{"reasons":["consumer: no progress for 120 s"],"status":"not live"}"#;
    assert_eq!(get(format!("{url}/livez")).await?, (503, not_live.to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_makes_the_process_not_ready_and_stops_the_listener_last() -> Result<()> {
    let tasks = Tasks::new();
    let url = serve(&tasks, Registry::default(), |health| health)?;
    tasks.shutdown().begin();
    let not_ready = r#"{"reasons":["shutting down"],"status":"not ready"}"#;
    assert_eq!(get(format!("{url}/readyz")).await?, (503, not_ready.to_owned()));
    assert_eq!(get(format!("{url}/livez")).await?.0, 200);
    tasks.run_until_shutdown(Duration::from_secs(5)).await?;
    assert!(get(format!("{url}/livez")).await.is_err(), "nobody listens any more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_served_as_openmetrics_text() -> Result<()> {
    let tasks = Tasks::new();
    let mut registry = Registry::default();
    let things: Counter = Counter::default();
    registry.register("example_things", "Things that were seen", things.clone());
    let url = serve(&tasks, registry, |health| health)?;
    things.inc();
    let answer = reqwest::get(format!("{url}/metrics")).await?;
    let content_type = answer.headers().get("content-type").context("no content type")?.to_str()?;
    assert_eq!(content_type, telemetry::metrics::CONTENT_TYPE);
    assert!(answer.text().await?.contains("example_things_total 1\n"));
    Ok(())
}

#[test]
fn an_address_in_use_is_named_with_the_setting_to_change() -> Result<()> {
    let setting = "--internal-listen (HOLDFAST_INTERNAL_LISTEN)";
    let taken = listen(LOCAL, setting)?.local_addr()?;
    let _listener = listen(taken, setting)?;
    let error: Error = listen(taken, setting).expect_err("the address is in use");
    let text = telemetry::Chain(&error).to_string();
    let expected =
        format!("cannot listen on {taken}, choose another address with {setting}: Address already in use");
    assert!(text.starts_with(&expected), "{text}");
    Ok(())
}
