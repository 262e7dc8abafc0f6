//! What a person is told.

use super::crew::{Hand, RealClock, hasty};
use super::{WORKER, all_finished, bench, queued};
use crate::bench::{Bench, PATIENCE, message, platform_event};
use anyhow::{Result, ensure};
use broker::{Inspector, Queue};
use ops::audit::{Config, Options, Progress, Report, Verdict, audit};
use serde_json::json;
use std::time::Duration;
use testkit::eventually;

/// An audit of a person beside workers that do none for a while.
async fn asked(bench: &Bench, wait: Duration, dry_run: bool) -> Result<Report> {
    let options = Options { wait, dry_run };
    let mut told = |_: &Progress| {};
    Ok(audit(&bench.store, &bench.broker, &RealClock, &hasty(), options, &mut told).await?)
}

fn seldom() -> Config {
    Config { interval: Duration::from_hours(1), ..hasty() }
}

/// A worker that will not place a marker by itself, because somebody just did.
async fn quiet_worker(bench: &Bench, platform: &crate::bench::Platform) -> Result<Hand> {
    bench
        .texts(
            "INSERT INTO audit_rounds (placed_at, snapshot, unpublished, dry_run, ended_at, outcome) \
             VALUES (now(), pg_current_snapshot(), '{}', false, now(), 'clean') RETURNING id::text",
        )
        .await?;
    let worker = Hand::start(bench, platform, WORKER, seldom()).await?;
    eventually(PATIENCE, "a consumer", async || {
        let inspector = Inspector::connect(&bench.broker).await?;
        ensure!(inspector.depths().await?.work.consumers > 0, "none");
        Ok(Some(()))
    })
    .await?;
    Ok(worker)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_pending_needs_no_worker_to_be_accounted_for() -> Result<()> {
    let (bench, _platform) = bench().await?;
    let report = asked(&bench, PATIENCE, false).await?;
    assert_eq!(report.queue, Verdict::Accounted);
    assert!(report.balances && !report.found() && !report.is_open());
    assert_eq!(report.rounds.len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_nothing_is_proven_and_nothing_queued_again() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 5, 5).await?;
    Inspector::connect(&bench.broker).await?.purge(Queue::Work).await?;
    let report = asked(&bench, PATIENCE, false).await?;
    assert_eq!(report.queue, Verdict::NoWorker);
    assert!(report.is_open() && !report.found());
    bench.until_outbox(0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_what_an_audit_then_queues_again() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 12, 3).await?;
    Inspector::connect(&bench.broker).await?.purge(Queue::Work).await?;
    let _worker = quiet_worker(&bench, &platform).await?;
    let dry = asked(&bench, PATIENCE, true).await?;
    let Verdict::Lost { events, examples } = &dry.queue else { panic!("{:?}", dry.queue) };
    assert_eq!((*events, examples.len(), dry.found()), (12, 10, true));
    bench.until_outbox(0).await?;
    let wet = asked(&bench, PATIENCE, false).await?;
    assert!(matches!(&wet.queue, Verdict::Requeued { events: 12, .. }), "{:?}", wet.queue);
    bench.until_outbox(12).await?;
    let _relay = bench.relay().await?;
    all_finished(&bench, 12).await?;
    let after = asked(&bench, PATIENCE, false).await?;
    assert_eq!((&after.queue, after.found()), (&Verdict::Accounted, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_longer_than_the_patience_proves_nothing() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 50, 50).await?;
    platform.fails("sesn_", json!({ "latency_ms": 500 })).await?;
    let _worker = quiet_worker(&bench, &platform).await?;
    let report = asked(&bench, Duration::from_millis(300), false).await?;
    assert!(matches!(report.queue, Verdict::Unproven { .. }), "{:?}", report.queue);
    platform.heals().await?;
    all_finished(&bench, 50).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_contradict_each_other_are_named() -> Result<()> {
    let (bench, platform) = bench().await?;
    let events = [platform_event("whe_1", "session.updated", "sesn_1", 0)?];
    platform.running("sesn_1").await?;
    bench.accept(&events).await?;
    bench.publish(Queue::Work, &[message(&events[0])]).await?;
    let _worker = quiet_worker(&bench, &platform).await?;
    all_finished(&bench, 1).await?;
    assert!(!asked(&bench, PATIENCE, false).await?.found());
    bench
        .texts("INSERT INTO outbox (event, queue, generation, tries, due_at) SELECT id, 'work', 1, 1, now() + interval '1 day' FROM events RETURNING ''")
        .await?;
    bench
        .texts("INSERT INTO outbox (event, queue, generation, tries, due_at) VALUES (-1, 'dead', 1, 0, now() + interval '1 day') RETURNING ''")
        .await?;
    bench.texts("DELETE FROM resource_history RETURNING ''").await?;
    bench.texts("UPDATE resources SET last_event_id = 'whe_2' RETURNING ''").await?;
    let report = asked(&bench, PATIENCE, false).await?;
    let broken: Vec<_> = report.rows.iter().filter(|rule| rule.rows > 0).map(|rule| rule.rule).collect();
    assert_eq!(
        broken,
        ["outbox_has_event", "outbox_work_is_pending", "outbox_is_current", "last_event_in_history"]
    );
    assert!(report.found());
    Ok(())
}
