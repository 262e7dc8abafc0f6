//! Workers that lose what they stand on.

use crate::bench::{
    Bench, PATIENCE, Platform, Worker, after, message, noon, platform_event, processing, store_at,
};
use anyhow::{Result, ensure};
use broker::Queue;
use chrono::{DateTime, Utc};
use domain::{Clock, EventStatus};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use testkit::eventually;
use testkit::proxy::TcpProxy;

/// A worker whose store leads through a proxy, and an event whose fetch takes half a second.
async fn fetching_slowly(bench: &Bench, platform: &Platform) -> Result<(TcpProxy, Worker)> {
    platform.waiting("sesn_1").await?;
    platform.fails("sesn_1", json!({ "latency_ms": 500 })).await?;
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let worker = Worker::with(bench, platform, processing()?, store_at(url)?, clock, 50).await?;
    let event = platform_event("whe_1", "session.status_error", "sesn_1", -1)?;
    bench.accept(std::slice::from_ref(&event)).await?;
    bench.publish(Queue::Work, &[message(&event)]).await?;
    eventually(PATIENCE, "a fetch under way", async || {
        ensure!(platform.fetches("sesn_1").await? == 1);
        Ok(Some(()))
    })
    .await?;
    Ok((proxy, worker))
}

/// What one applied event leaves: no more and no less.
async fn applied_once(bench: &Bench) -> Result<()> {
    bench.until_status("whe_1", EventStatus::Applied).await?;
    bench.until_outbox(0).await?;
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, 1);
    assert_eq!(bench.number("SELECT count(*) FROM effects").await?, 3, "an alert and two reviews");
    assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 0);
    bench.until_ready(Queue::Dead, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_away_nothing_is_acknowledged_and_afterwards_it_is_applied_once() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let (proxy, worker) = fetching_slowly(&bench, &platform).await?;
    proxy.cut();
    // A message that is held is not ready; killing the worker shows that it was not acknowledged either.
    drop(worker);
    bench.until_ready(Queue::Work, 1).await?;
    assert_eq!(bench.detail("whe_1").await?.row.status, "pending");
    let worker = Worker::start(&bench, &platform).await?;
    applied_once(&bench).await?;
    worker.stopped().await?;
    bench.until_ready(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_outlives_an_outage_of_postgres() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let (proxy, worker) = fetching_slowly(&bench, &platform).await?;
    proxy.cut();
    // New work arrives meanwhile.
    let second = platform_event("whe_2", "session.running", "sesn_2", -1)?;
    platform.running("sesn_2").await?;
    bench.publish(Queue::Work, &[message(&second)]).await?;
    proxy.heal();
    applied_once_and_second(&bench).await?;
    worker.stopped().await?;
    bench.until_ready(Queue::Work, 0).await
}

async fn applied_once_and_second(bench: &Bench) -> Result<()> {
    bench.until_status("whe_2", EventStatus::Applied).await?;
    bench.until_status("whe_1", EventStatus::Applied).await?;
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, 2);
    assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_moment_gives_everything_back() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let mut events = Vec::new();
    for n in 0..40 {
        let session = format!("sesn_{n}");
        platform.running(&session).await?;
        events.push(platform_event(&format!("whe_{n}"), "session.status_error", &session, -1)?);
    }
    bench.accept(&events).await?;
    bench.publish(Queue::Work, &events.iter().map(message).collect::<Vec<_>>()).await?;
    // Each worker is killed as soon as it has done something.
    for done in [1, 10, 25] {
        let worker = Worker::start(&bench, &platform).await?;
        eventually(PATIENCE, "some progress", async || {
            let ledger = bench.ledger().await?;
            ensure!(ledger.applied >= done, "{ledger:?}");
            Ok(Some(()))
        })
        .await?;
        drop(worker);
    }
    let worker = Worker::start(&bench, &platform).await?;
    eventually(PATIENCE, "no pending event", async || {
        let ledger = bench.ledger().await?;
        ensure!(ledger.applied == 40, "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    worker.stopped().await?;
    assert_eq!(bench.number("SELECT count(*) FROM effects WHERE kind = 'alert'").await?, 40);
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, 40);
    bench.until_ready(Queue::Work, 0).await?;
    bench.until_ready(Queue::Dead, 0).await
}

/// A clock that panics when it is read the second time: in the middle of the first fetch.
struct PoisonedClock(AtomicU32);

impl Clock for PoisonedClock {
    fn now(&self) -> DateTime<Utc> {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) != 1, "the clock is broken");
        noon()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_a_resource_is_looked_at_is_one_failed_try() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let clock: Arc<dyn Clock> = Arc::new(PoisonedClock(AtomicU32::new(0)));
    let worker = Worker::with(&bench, &platform, processing()?, bench.store.clone(), clock, 50).await?;
    let event = platform_event("whe_1", "session.running", "sesn_1", -1)?;
    bench.accept(std::slice::from_ref(&event)).await?;
    bench.publish(Queue::Work, &[message(&event)]).await?;
    let failed = bench.until("whe_1", "one try used", |detail| detail.row.tries == 1).await?;
    assert_eq!((failed.row.status.as_str(), failed.due_at), ("pending", Some(after(10))));
    assert_eq!(failed.row.error_class.as_deref(), Some("bug"));
    assert!(failed.row.last_error.is_some_and(|error| error.contains("the clock is broken")));

    // The worker goes on, with this event too.
    let relay = bench.relay().await?;
    bench.advance(10);
    bench.until_status("whe_1", EventStatus::Applied).await?;
    worker.stopped().await?;
    relay.stopped_within(PATIENCE).await
}
