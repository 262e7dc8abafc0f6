//! From many requests to few commits.

use crate::bench::{Bench, Duty, PATIENCE, Platform, Worker, broker_at, platform_event, publisher, store_at};
use anyhow::{Context, Result};
use broker::Queue;
use domain::{Clock, EventStatus};
use futures_util::future::{join_all, select_all};
use ops::accept::{Acceptance, Acceptor, Config, NotAccepted};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::NewEvent;
use testkit::proxy::TcpProxy;
use testkit::{eventually, payload};

/// An accept pipeline and its duties.
struct Pipeline {
    acceptor: Acceptor,
    _publisher: Duty,
    _duties: [Duty; 2],
}

impl Pipeline {
    /// Speaks to these stores; the broker must be reachable at first.
    async fn on(bench: &Bench, store: store::Store, broker: &broker::Broker) -> Result<Self> {
        let (publisher, duty) = publisher(broker, Duration::from_secs(1)).await?;
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        let (acceptor, committer, first) =
            Acceptor::new(Config::default(), store, publisher, clock, bench.metrics.clone());
        let duties = [Duty::start(|_| committer.run()), Duty::start(|_| first.run())];
        Ok(Self { acceptor, _publisher: duty, _duties: duties })
    }

    async fn start(bench: &Bench) -> Result<Self> {
        Self::on(bench, bench.store.clone(), &bench.broker).await
    }
}

fn idled(id: &str) -> Result<NewEvent> {
    platform_event(id, "session.status_idled", "sesn_1", -1)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once_share_commits_and_all_are_published() -> Result<()> {
    let bench = Bench::new().await?;
    let pipeline = Pipeline::start(&bench).await?;
    let events = (0..400).map(|n| idled(&format!("whe_{n}"))).collect::<Result<Vec<_>>>()?;
    let outcomes = join_all(events.into_iter().map(|event| pipeline.acceptor.accept(event))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(Acceptance::New)));
    assert_eq!(bench.ledger().await?.pending, 400);
    assert!((bench.metric("ingest_accept_batch_events_sum")? - 400.0).abs() < 0.5);
    let commits = bench.metric("ingest_accept_batch_events_count")?;
    assert!(commits < 100.0, "{commits} commits for 400 events");
    bench.until_outbox(0).await?;
    let (messages, events) = bench.queued().await?;
    assert!(events == 400 && messages < 200, "{events} events in {messages} messages");
    assert_eq!(bench.number("SELECT count(*) FROM bundles").await?, 0);
    Ok(())
}

/// The senders are answered by Postgres alone. What waits is published in as few messages as it fits into.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_without_rabbitmq_is_published_when_it_is_back_and_applied_once() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let (rabbitmq, broker_url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    let broker = broker_at(&broker_url, &bench.queues)?;
    let pipeline = Pipeline::on(&bench, bench.store.clone(), &broker).await?;
    rabbitmq.cut();
    for round in 0..4 {
        let events = (0..20).map(|n| idled(&format!("whe_{round}_{n}"))).collect::<Result<Vec<_>>>()?;
        let outcomes = join_all(events.into_iter().map(|event| pipeline.acceptor.accept(event))).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Ok(Acceptance::New)), "{outcomes:?}");
    }
    bench.until_outbox(80).await?;
    rabbitmq.heal();
    let relay = bench.relay().await?;
    bench.advance(10);
    bench.until_outbox(0).await?;
    relay.stopped_within(PATIENCE).await?;
    let worker = Worker::start(&bench, &platform).await?;
    eventually(PATIENCE, "no pending event", async || {
        let ledger = bench.ledger().await?;
        anyhow::ensure!(ledger.pending == 0, "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 80);
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, 80);
    assert_eq!(bench.number("SELECT count(*) FROM bundles").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_told_from_a_new_event_within_a_commit_and_after_it() -> Result<()> {
    let bench = Bench::new().await?;
    let pipeline = Pipeline::start(&bench).await?;
    let same = (0..5).map(|_| idled("whe_1")).collect::<Result<Vec<_>>>()?;
    let outcomes = join_all(same.into_iter().map(|event| pipeline.acceptor.accept(event))).await;
    let new = outcomes.iter().filter(|outcome| **outcome == Ok(Acceptance::New)).count();
    let duplicates = outcomes.iter().filter(|outcome| **outcome == Ok(Acceptance::Duplicate)).count();
    assert_eq!((new, duplicates), (1, 4));
    assert_eq!(pipeline.acceptor.accept(idled("whe_1")?).await, Ok(Acceptance::Duplicate));
    assert_eq!(bench.detail("whe_1").await?.row.deliveries, 6);
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Work, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_turns_requests_away_at_once_and_a_dead_committer_keeps_none_waiting() -> Result<()> {
    turns_the_third_away(Config { queue: 2, ..Config::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_bytes_that_wait_turn_requests_away_at_once_however_few_they_are() -> Result<()> {
    let bytes = idled("whe_1")?.payload.len() * 2;
    turns_the_third_away(Config { bytes, ..Config::default() }).await
}

async fn turns_the_third_away(config: Config) -> Result<()> {
    let bench = Bench::new().await?;
    let (publisher, _duty) = publisher(&bench.broker, Duration::from_secs(1)).await?;
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let (acceptor, committer, _first) =
        Acceptor::new(config, bench.store.clone(), publisher, clock, bench.metrics.clone());
    let waiting = ["whe_1", "whe_2", "whe_3"]
        .map(|id| idled(id).map(|event| Box::pin(acceptor.accept(event))))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    // Nobody commits: the first answer is that of the one who found no room.
    let (outcome, at, rest) = select_all(waiting).await;
    assert_eq!((outcome, at), (Err(NotAccepted::Overloaded), 2));
    drop(committer);
    for outcome in join_all(rest).await {
        assert_eq!(outcome, Err(NotAccepted::Unavailable));
    }
    assert_eq!(bench.ledger().await?.accepted, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_a_confirmed_message_makes_the_event_durable() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let pipeline = Pipeline::on(&bench, store_at(url)?, &bench.broker).await?;
    assert_eq!(pipeline.acceptor.accept(idled("whe_1")?).await, Ok(Acceptance::New));
    proxy.cut();
    assert_eq!(pipeline.acceptor.accept(idled("whe_2")?).await, Ok(Acceptance::New));
    bench.until_ready(Queue::Work, 2).await?;
    assert_eq!(bench.ledger().await?.accepted, 1);

    proxy.heal();
    eventually(PATIENCE, "events in Postgres again", async || {
        let id = payload::event_id();
        anyhow::ensure!(pipeline.acceptor.accept(idled(&id)?).await == Ok(Acceptance::New));
        Ok(Some(bench.detail(&id).await?))
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rabbitmq_alone_accepted_is_stored_without_a_worker_when_postgres_is_back_and_applied_once()
-> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let pipeline = Pipeline::on(&bench, store_at(url)?, &bench.broker).await?;
    proxy.cut();
    let events = (0..40).map(|n| idled(&format!("whe_{n}"))).collect::<Result<Vec<_>>>()?;
    let outcomes = join_all(events.into_iter().map(|event| pipeline.acceptor.accept(event))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(Acceptance::New)));
    assert_eq!(bench.ledger().await?.accepted, 0);

    proxy.heal();
    eventually(PATIENCE, "the events in Postgres", async || {
        Ok((bench.ledger().await?.pending == 40).then_some(()))
    })
    .await?;
    let stored = bench.detail("whe_7").await?;
    assert_eq!((stored.source.as_str(), stored.row.deliveries), ("queue", 1));
    // Its message is in the queue, so nothing is to be published.
    assert_eq!(stored.due_at, None);
    bench.until_outbox(0).await?;

    let worker = Worker::start(&bench, &platform).await?;
    eventually(PATIENCE, "no pending event", async || Ok((bench.ledger().await?.pending == 0).then_some(())))
        .await?;
    assert_eq!(bench.number("SELECT sum(deliveries)::bigint FROM events").await?, 40);
    worker.stopped_with_nothing_left(&bench, &platform).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_postgres_costs_one_deadline_and_the_next_requests_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let pipeline = Pipeline::on(&bench, store_at(url)?, &bench.broker).await?;
    assert_eq!(pipeline.acceptor.accept(idled("whe_1")?).await, Ok(Acceptance::New));
    proxy.stall();
    let began = Instant::now();
    assert_eq!(pipeline.acceptor.accept(idled("whe_2")?).await, Ok(Acceptance::New));
    let first = began.elapsed();
    let began = Instant::now();
    assert_eq!(pipeline.acceptor.accept(idled("whe_3")?).await, Ok(Acceptance::New));
    let second = began.elapsed();
    assert!(first < Duration::from_secs(3), "{first:?}");
    assert!(second < Duration::from_millis(500), "{second:?}");
    bench.until_ready(Queue::Work, 3).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_both_stores_nothing_is_accepted_and_nothing_is_kept() -> Result<()> {
    let bench = Bench::new().await?;
    let (postgres, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let (rabbitmq, broker_url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    let broker = broker_at(&broker_url, &bench.queues)?;
    let pipeline = Pipeline::on(&bench, store_at(url)?, &broker).await?;
    postgres.cut();
    rabbitmq.cut();
    let outcome = pipeline.acceptor.accept(idled("whe_1")?).await;
    assert_eq!(outcome, Err(NotAccepted::Unavailable));
    assert_eq!(bench.ledger().await?.accepted, 0);
    bench.until_ready(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_that_postgres_refuses_does_not_take_the_others_along() -> Result<()> {
    let bench = Bench::new().await?;
    let pipeline = Pipeline::start(&bench).await?;
    // The parser lets no such text through; a new member might one day.
    let refused = NewEvent { traceparent: Some("nul \0".to_owned()), ..idled("whe_refused")? };
    let events = [idled("whe_1")?, refused, idled("whe_2")?];
    let outcomes = join_all(events.map(|event| pipeline.acceptor.accept(event))).await;
    assert_eq!(outcomes[0], Ok(Acceptance::New));
    assert_eq!(outcomes[1], Err(NotAccepted::Unavailable));
    assert_eq!(outcomes[2], Ok(Acceptance::New));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_confirm_was_lost_is_published_by_the_relay_after_its_grace() -> Result<()> {
    let bench = Bench::new().await?;
    let (rabbitmq, broker_url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    let broker = broker_at(&broker_url, &bench.queues)?;
    let pipeline = Pipeline::on(&bench, bench.store.clone(), &broker).await?;
    rabbitmq.stall();
    assert_eq!(pipeline.acceptor.accept(idled("whe_1")?).await, Ok(Acceptance::New), "no need to wait");
    let relay = bench.relay().await?;
    bench.until_outbox(1).await?;
    assert_eq!(bench.detail("whe_1").await?.row.status, EventStatus::Pending.as_str());
    bench.advance(10);
    bench.until_outbox(0).await?;
    rabbitmq.cut();
    bench.until_ready(Queue::Work, 1).await?;
    relay.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_carries_the_event_as_it_was_accepted() -> Result<()> {
    let bench = Bench::new().await?;
    let pipeline = Pipeline::start(&bench).await?;
    let event = idled("whe_1")?;
    assert_eq!(pipeline.acceptor.accept(event.clone()).await, Ok(Acceptance::New));
    bench.until_ready(Queue::Work, 1).await?;
    let messages = bench.messages(Queue::Work).await?;
    let message = messages.first().context("one message")?;
    assert_eq!(message.body, event.payload);
    let header = |name| crate::bench::stored_message(message, name);
    assert_eq!(header("holdfast-endpoint").as_deref(), Some("default"));
    assert_eq!(header("holdfast-generation").as_deref(), Some("1"));
    assert_eq!(header("holdfast-tries").as_deref(), Some("0"));
    assert_eq!(header("traceparent"), event.traceparent);
    assert_eq!(header("holdfast-received-at").as_deref(), Some("2026-03-15T12:00:00.000000Z"));
    Ok(())
}
