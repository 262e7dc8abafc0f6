//! Tries that fail, waits that are no tries, and where both end.

use crate::bench::{Bench, PATIENCE, Platform, Worker, after, message, platform_event, stored_message};
use anyhow::{Context, Result};
use broker::Queue;
use domain::EventStatus;
use serde_json::json;
use store::NewEvent;

/// A worker that holds an event of a session that the platform serves as told.
struct Failing {
    bench: Bench,
    platform: Platform,
    worker: Worker,
}

impl Failing {
    async fn start(fault: serde_json::Value) -> Result<Self> {
        let (bench, platform) = (Bench::new().await?, Platform::start().await?);
        platform.running("sesn_1").await?;
        platform.fails("sesn_1", fault).await?;
        let worker = Worker::start(&bench, &platform).await?;
        let failing = Self { bench, platform, worker };
        failing.deliver(&platform_event("whe_1", "session.running", "sesn_1", -1)?).await?;
        Ok(failing)
    }

    async fn deliver(&self, event: &NewEvent) -> Result<()> {
        self.bench.accept(std::slice::from_ref(event)).await?;
        self.bench.publish(Queue::Work, &[message(event)]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_failure_makes_a_dead_letter_in_postgres_and_in_the_broker() -> Result<()> {
    let Failing { bench, platform, worker } = Failing::start(json!({ "status": 503 })).await?;
    let first = bench.until("whe_1", "one try used", |detail| detail.row.tries == 1).await?;
    assert_eq!((first.row.status.as_str(), first.due_at), ("pending", Some(after(10))));
    let relay = bench.relay().await?;
    bench.advance(10);
    let second = bench.until("whe_1", "two tries used", |detail| detail.row.tries == 2).await?;
    assert_eq!(second.due_at, Some(after(70)));
    bench.advance(60);
    let dead = bench.until_status("whe_1", EventStatus::Dead).await?;
    assert_eq!((dead.row.tries, dead.row.dead_at), (3, Some(after(70))));
    assert_eq!(dead.row.error_class.as_deref(), Some("transient"));
    worker.stopped().await?;
    relay.stopped_within(PATIENCE).await?;

    let story = ops::story::event_stories(&bench.store, "whe_1", None).await?;
    let attempts: Vec<_> = story[0]
        .attempts
        .iter()
        .map(|attempt| (attempt.generation, attempt.number, attempt.failed_at, attempt.worker.as_str()))
        .collect();
    let expected = [(1, after(0)), (2, after(10)), (3, after(70))];
    assert_eq!(attempts, expected.map(|(number, at)| (1, number, at, "worker-1")));
    for attempt in &story[0].attempts {
        assert_eq!(attempt.error_class, "transient");
        assert!(attempt.error.contains("503"), "{}", attempt.error);
        assert!(attempt.request_id.as_deref().is_some_and(|id| id.starts_with("req_")), "{attempt:?}");
    }
    assert_eq!(platform.fetches("sesn_1").await?, 3);

    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    bench.until_ready(Queue::Work, 0).await?;
    let letters = bench.messages(Queue::Dead).await?;
    let header = |name| stored_message(&letters[0], name).unwrap_or_default();
    assert_eq!((header("holdfast-generation"), header("holdfast-tries")), ("1".into(), "3".into()));
    assert_eq!(header("holdfast-failure-class"), "transient");
    assert!(header("holdfast-failure-reason").contains("503"));
    assert_eq!(letters[0].body, story[0].event.payload);
    let failed = bench.metric("worker_failed_tries_total{class=\"transient\"}")?;
    assert!((failed - 3.0).abs() < 0.1, "{failed}");
    let ledger = bench.ledger().await?;
    assert!(ledger.balances() && ledger.dead == 1, "{ledger:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_key_or_for_budget_uses_up_no_try() -> Result<()> {
    for (fault, class, due) in [
        (json!({ "status": 401 }), "configuration", 10),
        (json!({ "status": 403 }), "configuration", 10),
        (json!({ "status": 429 }), "throttled", 10),
        (json!({ "status": 429, "retry_after": 120 }), "throttled", 120),
    ] {
        let Failing { bench, platform, worker } = Failing::start(fault.clone()).await?;
        let waiting = bench.until("whe_1", class, |detail| detail.row.error_class.is_some()).await?;
        assert_eq!(waiting.row.error_class.as_deref(), Some(class), "{fault}");
        assert_eq!((waiting.row.tries, waiting.row.status.as_str()), (0, "pending"), "{fault}");
        assert_eq!(waiting.due_at, Some(after(due)), "{fault}");
        assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 0, "{fault}");

        platform.heals().await?;
        let relay = bench.relay().await?;
        bench.advance(120);
        let applied = bench.until_status("whe_1", EventStatus::Applied).await?;
        assert_eq!((applied.row.tries, &applied.row.error_class), (0, &None), "{fault}");
        worker.stopped().await?;
        relay.stopped_within(PATIENCE).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_ends_costs_the_tries_it_took_and_no_more() -> Result<()> {
    let Failing { bench, platform: _platform, worker } =
        Failing::start(json!({ "status": 500, "times": 2 })).await?;
    let relay = bench.relay().await?;
    bench.until("whe_1", "one try used", |detail| detail.row.tries == 1).await?;
    bench.advance(10);
    bench.until("whe_1", "two tries used", |detail| detail.row.tries == 2).await?;
    bench.advance(60);
    let applied = bench.until_status("whe_1", EventStatus::Applied).await?;
    assert_eq!(applied.row.tries, 2);
    worker.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    bench.until_ready(Queue::Dead, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_missing_session_is_superseded_once_its_deletion_is_known() -> Result<()> {
    let Failing { bench, platform: _platform, worker } = Failing::start(json!({ "status": 404 })).await?;
    let gone = bench.until("whe_1", "one try used", |detail| detail.row.tries == 1).await?;
    assert_eq!(gone.row.error_class.as_deref(), Some("gone"));
    let deletion = platform_event("whe_2", "session.deleted", "sesn_1", 5)?;
    bench.accept(std::slice::from_ref(&deletion)).await?;
    bench.publish(Queue::Work, &[message(&deletion)]).await?;
    bench.until_status("whe_2", EventStatus::Applied).await?;
    let relay = bench.relay().await?;
    bench.advance(10);
    let superseded = bench.until_status("whe_1", EventStatus::Superseded).await?;
    assert_eq!(superseded.row.error_class, None);
    worker.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    let kind = domain::ResourceKind::Session;
    let story = ops::story::resource_story(&bench.store, kind, "sesn_1").await?;
    let story = story.context("a tombstone")?;
    assert_eq!(story.status.as_deref(), Some("deleted"));
    let history: Vec<_> = story.history.iter().map(|row| row.event_id.as_str()).collect();
    assert_eq!(history, ["whe_1", "whe_2"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_no_repetition_mends_is_dead_at_once() -> Result<()> {
    let Failing { bench, platform: _platform, worker } = Failing::start(json!({ "status": 400 })).await?;
    let dead = bench.until_status("whe_1", EventStatus::Dead).await?;
    assert_eq!((dead.row.tries, dead.row.error_class.as_deref()), (1, Some("permanent")));
    worker.stopped().await?;
    bench.until_ready(Queue::Dead, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_session_does_not_hold_up_another() -> Result<()> {
    let Failing { bench, platform, worker } = Failing::start(json!({ "status": 500 })).await?;
    platform.running("other_1").await?;
    let other = platform_event("whe_2", "session.running", "other_1", -1)?;
    bench.accept(std::slice::from_ref(&other)).await?;
    bench.publish(Queue::Work, &[message(&other)]).await?;
    bench.until_status("whe_2", EventStatus::Applied).await?;
    worker.stopped().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_after_the_fault_is_gone_is_applied_in_its_second_life() -> Result<()> {
    let Failing { bench, platform, worker } = Failing::start(json!({ "status": 400 })).await?;
    bench.until_status("whe_1", EventStatus::Dead).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    bench.until_outbox(0).await?;
    platform.heals().await?;
    bench.advance(1);
    let relay = bench.relay().await?;
    let selection = ops::dead::Selection { filter: store::DeadFilter::default(), rate: None };
    let proceed = |_| std::ops::ControlFlow::Continue(());
    let done = ops::dead::replay(&bench.store, &*bench.clock, selection, proceed).await?;
    assert_eq!((done.total, done.replayed, done.status.as_str()), (1, 1, "finished"));
    let applied = bench.until_status("whe_1", EventStatus::Applied).await?;
    assert_eq!((applied.row.generation, applied.row.tries, applied.row.dead_at), (2, 0, None));
    let story = ops::story::event_stories(&bench.store, "whe_1", None).await?;
    assert_eq!(story[0].attempts.len(), 1, "the failed try of the first life stays on record");

    let settled = ops::dead::settle(&bench.store, &bench.broker, &*bench.clock, "worker-1").await?;
    assert_eq!((settled.removed, settled.kept, settled.adopted, settled.restored), (1, 0, 0, 0));
    bench.until_ready(Queue::Dead, 0).await?;
    worker.stopped().await?;
    relay.stopped_within(PATIENCE).await
}
