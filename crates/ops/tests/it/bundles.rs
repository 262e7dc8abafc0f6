//! First publishes that are left to the relay, several events to a message.

use crate::bench::{Bench, PATIENCE, Platform, Worker, broker_at, platform_event, publisher};
use anyhow::{Result, ensure};
use broker::LinkState;
use broker::Queue;
use std::time::Duration;
use store::NewEvent;
use testkit::eventually;
use testkit::proxy::TcpProxy;
use tokio::time::timeout;

fn events(from: u32, to: u32) -> Result<Vec<NewEvent>> {
    (from..to).map(|n| platform_event(&format!("whe_{n:03}"), "session.updated", "sesn_1", -1)).collect()
}

async fn no_bundle(bench: &Bench) -> Result<()> {
    assert_eq!(bench.number("SELECT count(*) FROM bundles").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_behind_is_published_after_its_grace_and_applied_once() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    // Ingest dies right after two commits.
    bench.accept(&events(0, 40)?).await?;
    bench.accept(&events(40, 50)?).await?;
    bench.advance(9);
    let relay = bench.relay().await?;
    bench.until_outbox(50).await?;
    bench.advance(1);
    bench.until_outbox(0).await?;
    relay.stopped_within(PATIENCE).await?;
    no_bundle(&bench).await?;
    assert_eq!(bench.queued().await?, (2, 50), "as few messages as they fit into");
    let confirmed = bench.metric("ingest_relayed_total{outcome=\"confirmed\"}")?;
    assert!((confirmed - 50.0).abs() < 0.5, "{confirmed}");

    let worker = Worker::start(&bench, &platform).await?;
    eventually(PATIENCE, "no pending event", async || {
        let ledger = bench.ledger().await?;
        ensure!(ledger.pending == 0, "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, 50);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_share_the_bundles_and_publish_none_twice() -> Result<()> {
    let bench = Bench::new().await?;
    for n in 0..60 {
        bench.accept(&events(n * 10, n * 10 + 10)?).await?;
    }
    bench.advance(10);
    let (one, other) = tokio::try_join!(bench.relay(), bench.relay())?;
    bench.until_outbox(0).await?;
    one.stopped_within(PATIENCE).await?;
    other.stopped_within(PATIENCE).await?;
    no_bundle(&bench).await?;
    assert_eq!(bench.queued().await?.1, 600);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_bundle_that_was_confirmed_in_part_only_the_rest_is_published_again() -> Result<()> {
    let bench = Bench::new().await?;
    let mut three = events(0, 3)?;
    // Too large for a bundle, and with properties that no frame holds: RabbitMQ never gets to confirm it.
    three[1].payload = vec![b' '; 200 * 1024].into();
    three[1].content_type = Some("x".repeat(200 * 1024));
    bench.accept(&three).await?;
    bench.advance(10);
    let relay = bench.relay().await?;
    bench.until_outbox(1).await?;
    let left = "SELECT event_id FROM bundles JOIN events ON events.id = ANY(bundles.events)";
    assert_eq!(bench.texts(left).await?, ["whe_001"]);
    bench.until_ready(Queue::Work, 2).await?;
    // It has its lease, so that it does not keep the relay busy.
    bench.until("whe_001", "on lease", |detail| detail.due_at == Some(crate::bench::after(30))).await?;
    bench.texts("UPDATE events SET content_type = NULL WHERE event_id = 'whe_001' RETURNING ''").await?;
    bench.advance(20);
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Work, 3).await?;
    no_bundle(&bench).await?;
    relay.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_bundles_are_left_to_a_relay_that_has_one() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    let (publisher, _duty) = publisher(&broker_at(&url, &bench.queues)?, Duration::from_secs(2)).await?;
    proxy.cut();
    let mut state = publisher.state();
    timeout(PATIENCE, state.wait_for(|state| *state == LinkState::Down)).await??;
    bench.accept(&events(0, 20)?).await?;
    bench.advance(10);
    let without = bench.relay_with(publisher, Duration::from_millis(10));
    let without = crate::bench::Duty::start(|stop| without.run(stop));
    // Nothing has been leased away from it.
    let with = bench.relay().await?;
    bench.until_outbox(0).await?;
    assert_eq!(bench.queued().await?, (1, 20));
    with.stopped_within(PATIENCE).await?;
    without.stopped_within(PATIENCE).await
}
