//! Lost messages are noticed, and waiting ones are left alone.

mod crew;
mod verdicts;

use crate::bench::{Bench, PATIENCE, Platform, platform_event};
use anyhow::{Context, Result, ensure};
use broker::{Inspector, Queue};
use chrono::TimeDelta;
use crew::{Hand, Traits, hasty, lone_auditor, metric};
use serde_json::json;
use store::NewEvent;
use testkit::clock::real_now;
use testkit::eventually;

const WORKER: Traits = Traits { name: "worker-1", prefetch: 200, concurrency: 8 };

/// Stores, and a clock that lets everything be due.
async fn bench() -> Result<(Bench, Platform)> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    bench.clock.set(real_now() + TimeDelta::hours(1));
    Ok((bench, platform))
}

fn events(count: usize, sessions: usize) -> Result<Vec<NewEvent>> {
    let event =
        |n| platform_event(&format!("whe_{n}"), "session.updated", &format!("sesn_{}", n % sessions), 0);
    (0..count).map(event).collect()
}

/// Accepts events and publishes them as ingest would, until nothing is left to publish.
async fn queued(bench: &Bench, platform: &Platform, count: usize, sessions: usize) -> Result<()> {
    for n in 0..sessions {
        platform.running(&format!("sesn_{n}")).await?;
    }
    bench.scheduled(&events(count, sessions)?).await?;
    let relay = bench.relay().await?;
    bench.until_outbox(0).await?;
    relay.stopped_within(PATIENCE).await
}

async fn all_finished(bench: &Bench, count: i64) -> Result<()> {
    // Thousands of fetches on a busy machine.
    eventually(PATIENCE * 6, "no pending event", async || {
        let ledger = bench.ledger().await?;
        ensure!(ledger.pending == 0, "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    let ledger = bench.ledger().await?;
    assert_eq!((ledger.applied + ledger.superseded, ledger.accepted), (count, count));
    Ok(())
}

/// Messages that came for a try that was over: published too often, or delivered again.
fn repeated(bench: &Bench) -> Result<f64> {
    bench.metric("worker_events_total{outcome=\"repeated\"}")
}

async fn requeued(bench: &Bench) -> Result<i64> {
    bench.number("SELECT coalesce(sum(requeued), 0)::bigint FROM audit_rounds").await
}

async fn rounds_ended(bench: &Bench, outcome: &str, at_least: usize) -> Result<()> {
    eventually(PATIENCE, &format!("{at_least} rounds {outcome}"), async || {
        let ended =
            bench.texts(format!("SELECT id::text FROM audit_rounds WHERE outcome = '{outcome}'")).await?;
        ensure!(ended.len() >= at_least, "{ended:?}");
        Ok(Some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_purge_every_event_is_queued_again_once_and_applied() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 500, 20).await?;
    let inspector = Inspector::connect(&bench.broker).await?;
    assert_eq!(inspector.purge(Queue::Work).await?, 500);
    let _relay = bench.relay().await?;
    let worker = Hand::start(&bench, &platform, WORKER, hasty()).await?;
    all_finished(&bench, 500).await?;
    rounds_ended(&bench, "requeued", 1).await?;
    assert_eq!((requeued(&bench).await?, repeated(&bench)?), (500, 0.0));
    eventually(PATIENCE, "the metric", async || {
        let counted = metric(&worker.metrics, "worker_audit_requeued_events_total")?;
        ensure!((counted - 500.0).abs() < 0.5, "{counted}");
        Ok(Some(()))
    })
    .await
}

/// Several events to a message were lost; each comes back in its own.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_in_bundles_is_queued_again_event_by_event() -> Result<()> {
    let (bench, platform) = bench().await?;
    platform.running("sesn_0").await?;
    bench.accept(&events(100, 1)?).await?;
    let relay = bench.relay().await?;
    bench.until_outbox(0).await?;
    assert_eq!(Inspector::connect(&bench.broker).await?.purge(Queue::Work).await?, 4);
    let _worker = Hand::start(&bench, &platform, WORKER, hasty()).await?;
    all_finished(&bench, 100).await?;
    assert_eq!((requeued(&bench).await?, repeated(&bench)?), (100, 0.0));
    relay.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_deleted_under_a_worker_loses_nothing_not_even_with_its_markers() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 100, 10).await?;
    // Markers are placed while nobody consumes, and go with the queue.
    let auditor = lone_auditor(&bench, hasty());
    eventually(PATIENCE, "three markers", async || {
        let placed = bench.number("SELECT count(*) FROM audit_rounds").await?;
        ensure!(placed >= 3, "{placed}");
        Ok(Some(()))
    })
    .await?;
    auditor.stopped_within(PATIENCE).await?;
    let inspector = Inspector::connect(&bench.broker).await?;
    inspector.delete(Queue::Work).await?;
    let _relay = bench.relay().await?;
    let _worker = Hand::start(&bench, &platform, WORKER, hasty()).await?;
    all_finished(&bench, 100).await?;
    rounds_ended(&bench, "overtaken", 3).await?;
    assert_eq!(requeued(&bench).await?, 100);

    // Once more, with a worker that is in the middle of its work.
    platform.fails("sesn_", json!({ "latency_ms": 50 })).await?;
    let more: Vec<NewEvent> = (0..100)
        .map(|n| platform_event(&format!("whe_more_{n}"), "session.updated", &format!("sesn_{}", n % 10), 1))
        .collect::<Result<_>>()?;
    bench.accept(&more).await?;
    bench.until_outbox(0).await?;
    inspector.delete(Queue::Work).await?;
    all_finished(&bench, 200).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_that_is_worked_off_slowly_is_left_alone() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 2_000, 200).await?;
    platform.fails("sesn_", json!({ "latency_ms": 10 })).await?;
    let _relay = bench.relay().await?;
    let slow = Traits { prefetch: 100, concurrency: 8, ..WORKER };
    let _worker = Hand::start(&bench, &platform, slow, hasty()).await?;
    all_finished(&bench, 2_000).await?;
    // Many markers were placed during that time, and none of them is still in the way.
    assert!(bench.number("SELECT count(*) FROM audit_rounds").await? >= 5);
    assert_eq!((requeued(&bench).await?, repeated(&bench)?), (0, 0.0));
    bench.until_ready(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_worker_holds_for_long_is_left_to_it() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 10, 10).await?;
    // As long as somebody holds the rows, no worker can finish anything.
    let mut somebody = bench.store.begin("hold").await?;
    let keys: Vec<_> = events(10, 10)?.iter().map(NewEvent::key).collect();
    store::lock_events(&mut somebody, &keys).await?;
    let _relay = bench.relay().await?;
    let holder = Traits { name: "holder", prefetch: 10, concurrency: 1 };
    let holder = Hand::start(&bench, &platform, holder, hasty()).await?;
    eventually(PATIENCE, "messages in the first worker's hands", async || {
        Ok((holder.hands.held() != broker::Held::Nothing).then_some(()))
    })
    .await?;
    // The other one gets the markers, as the first one's prefetch is full.
    let _idle = Hand::start(&bench, &platform, Traits { name: "idle", ..WORKER }, hasty()).await?;
    eventually(PATIENCE, "a marker that came back while the first worker holds on", async || {
        let seen = bench
            .texts(
                "SELECT CASE WHEN EXISTS (SELECT FROM audit_rounds WHERE outcome = 'clean' OR requeued > 0) THEN 'decided' \
                     WHEN EXISTS (SELECT FROM audit_rounds \
                         WHERE returned_at < clock_timestamp() - interval '1 second') THEN 'waits' ELSE 'no marker' END",
            )
            .await?;
        assert_ne!(seen, ["decided"], "although the first worker still holds them");
        ensure!(seen == ["waits"], "{seen:?}");
        Ok(Some(()))
    })
    .await?;
    drop(somebody);
    all_finished(&bench, 10).await?;
    rounds_ended(&bench, "clean", 1).await?;
    assert_eq!((requeued(&bench).await?, repeated(&bench)?), (0, 0.0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_and_one_of_them_killed_recover_what_was_lost_together() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 300, 30).await?;
    Inspector::connect(&bench.broker).await?.purge(Queue::Work).await?;
    platform.fails("sesn_", json!({ "latency_ms": 20 })).await?;
    let _relay = bench.relay().await?;
    let slow = Traits { prefetch: 40, concurrency: 2, ..WORKER };
    let first = Hand::start(&bench, &platform, slow, hasty()).await?;
    let _second = Hand::start(&bench, &platform, Traits { name: "worker-2", ..slow }, hasty()).await?;
    eventually(PATIENCE, "something applied", async || {
        ensure!(bench.ledger().await?.pending < 300);
        Ok(Some(()))
    })
    .await?;
    drop(first);
    all_finished(&bench, 300).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_that_is_killed_between_two_chunks_is_followed_by_one_that_goes_on() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 400, 10).await?;
    Inspector::connect(&bench.broker).await?.purge(Queue::Work).await?;
    // Without a relay the outbox keeps what is queued again. One that publishes in between would be worse for a round that
    // begins anew, so rows that were written are taken away, as if they had been published.
    let small = ops::audit::Config { chunk: 50, ..hasty() };
    let mut published = Vec::new();
    let mut taken = async || {
        bench.texts("DELETE FROM outbox RETURNING event::text").await.map(|more| published.extend(more))
    };
    for _ in 0..10 {
        let worker = Hand::start(&bench, &platform, WORKER, small).await?;
        let before = requeued(&bench).await?;
        eventually(PATIENCE, "a chunk", async || {
            ensure!(requeued(&bench).await? > before || before == 400);
            Ok(Some(()))
        })
        .await?;
        drop(worker);
        taken().await?;
        if before == 400 {
            break;
        }
    }
    taken().await?;
    let all = published.len();
    published.sort();
    published.dedup();
    assert_eq!((all, published.len()), (400, 400), "each event is queued again once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_shown_by_every_worker_and_adds_up() -> Result<()> {
    let (bench, platform) = bench().await?;
    queued(&bench, &platform, 30, 3).await?;
    let worker = Hand::start(&bench, &platform, WORKER, hasty()).await?;
    let other = Hand::start(&bench, &platform, Traits { name: "worker-2", ..WORKER }, hasty()).await?;
    for metrics in [&worker.metrics, &other.metrics] {
        eventually(PATIENCE, "figures", async || {
            let accepted = metric(metrics, "worker_ledger_accepted_events")?;
            ensure!((accepted - 30.0).abs() < 0.5, "{accepted}");
            Ok(Some(()))
        })
        .await?;
        assert!(metric(metrics, "worker_ledger_difference_events")?.abs() < 0.5);
        metric(metrics, "worker_figures_age_seconds").context("its age")?;
    }
    all_finished(&bench, 30).await
}
