//! Postgres without a word: connections whose other end is gone, refused logins, and a schema of another release.

use crate::bench::{
    Bench, Duty, PATIENCE, Platform, Worker, message, platform_event, processing, publisher, store_at,
};
use anyhow::{Result, ensure};
use broker::Queue;
use domain::{Clock, EventStatus};
use ops::relay::{Config, Relay};
use std::sync::Arc;
use std::time::Duration;
use testkit::eventually;
use testkit::proxy::TcpProxy;

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_outlives_connections_that_fall_silent() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let (publisher, _duty) = publisher(&bench.broker, Duration::from_secs(5)).await?;
    let config =
        Config { poll: Duration::from_millis(20), deadline: Duration::from_secs(2), ..Config::default() };
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let metrics = bench.metrics.clone();
    let relay = Relay::new(config, store_at(url)?, publisher, clock, metrics, Arc::default());
    let relay = Duty::start(|stop| relay.run(stop));
    for n in 0..3 {
        bench.accept(&[platform_event(&format!("whe_{n}"), "session.running", "sesn_1", -1)?]).await?;
        bench.advance(10);
        bench.until_outbox(0).await?;
        proxy.strand();
    }
    bench.until_ready(Queue::Work, 3).await?;
    relay.stopped_within(PATIENCE).await
}

/// A worker whose store leads through a proxy, and that has applied one event.
async fn at_work(bench: &Bench, platform: &Platform) -> Result<(TcpProxy, Worker)> {
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let worker = Worker::with(bench, platform, processing()?, store_at(url)?, clock, 50).await?;
    deliver(bench, platform, "whe_1", "sesn_1").await?;
    bench.until_status("whe_1", EventStatus::Applied).await?;
    Ok((proxy, worker))
}

async fn deliver(bench: &Bench, platform: &Platform, id: &str, session: &str) -> Result<()> {
    platform.running(session).await?;
    let event = platform_event(id, "session.running", session, -1)?;
    bench.accept(std::slice::from_ref(&event)).await?;
    bench.publish(Queue::Work, &[message(&event)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_outlives_connections_that_fall_silent() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let (proxy, worker) = at_work(&bench, &platform).await?;
    proxy.strand();
    deliver(&bench, &platform, "whe_2", "sesn_2").await?;
    eventually(PATIENCE * 2, "the second event applied", async || {
        let status = bench.detail("whe_2").await?.row.status;
        ensure!(status == "applied", "{status}");
        Ok(Some(()))
    })
    .await?;
    worker.stopped().await
}

/// Waits until the worker has failed to write some times: it then takes a new connection each time.
async fn has_tried(proxy: &TcpProxy) -> Result<()> {
    let before = proxy.connections();
    eventually(PATIENCE, "two new connections", async || {
        let made = proxy.connections() - before;
        ensure!(made >= 2, "{made}");
        Ok(Some(()))
    })
    .await
}

/// What the events have cost: nothing.
async fn applied_without_a_failure(bench: &Bench) -> Result<()> {
    bench.until_status("whe_2", EventStatus::Applied).await?;
    assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 0);
    bench.until_ready(Queue::Dead, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_waited_out_and_is_no_failure_of_any_event() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let (proxy, worker) = at_work(&bench, &platform).await?;
    // While its resource is being looked at, the database closes.
    platform.fails("sesn_2", serde_json::json!({ "latency_ms": 1500 })).await?;
    deliver(&bench, &platform, "whe_2", "sesn_2").await?;
    eventually(PATIENCE, "a fetch under way", async || {
        ensure!(platform.fetches("sesn_2").await? == 1);
        Ok(Some(()))
    })
    .await?;
    bench.database.allow_connections(false).await?;
    has_tried(&proxy).await?;
    bench.database.allow_connections(true).await?;
    applied_without_a_failure(&bench).await?;
    worker.stopped().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_release_is_waited_out_and_is_no_failure_of_any_event() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let (proxy, worker) = at_work(&bench, &platform).await?;
    bench.texts("ALTER TABLE resource_history RENAME COLUMN rank TO rank_of_tomorrow").await?;
    deliver(&bench, &platform, "whe_2", "sesn_2").await?;
    has_tried(&proxy).await?;
    assert_eq!(bench.detail("whe_2").await?.row.status, "pending");
    bench.texts("ALTER TABLE resource_history RENAME COLUMN rank_of_tomorrow TO rank").await?;
    applied_without_a_failure(&bench).await?;
    worker.stopped().await
}
