//! Messages of several events of which one is the end of every worker, and such messages among the dead letters.

use crate::bench::{Bench, PATIENCE, Platform, Worker, after, message, platform_event};
use anyhow::{Result, ensure};
use broker::{Message, Queue};
use ops::dead::{Settled, check, inspect, settle};
use serde_json::json;
use store::{Intention, NewEvent};
use testkit::eventually;

/// So many events in one message, each of a session of its own; the first one's is `sesn_00`.
async fn in_one_message(platform: &Platform, bench: &Bench, count: usize) -> Result<()> {
    let mut events = Vec::new();
    for n in 0..count {
        let session = format!("sesn_{n:02}");
        platform.running(&session).await?;
        events.push(platform_event(&format!("whe_{n:02}"), "session.updated", &session, -1)?);
    }
    bench.stored(&events).await?;
    bench.publish_bundled(Queue::Work, &events.iter().map(message).collect::<Vec<_>>()).await?;
    bench.until_ready(Queue::Work, 1).await
}

async fn all_applied_once(bench: &Bench, count: i64) -> Result<()> {
    eventually(PATIENCE, "everything applied", async || {
        let ledger = bench.ledger().await?;
        ensure!((ledger.accepted, ledger.applied) == (count, count), "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, count);
    assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_back_a_third_time_is_taken_apart() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    in_one_message(&platform, &bench, 32).await?;
    for _ in 0..2 {
        bench.die_with(32).await?;
        bench.until_ready(Queue::Work, 1).await?;
    }
    // What this worker begins does not end.
    platform.fails("sesn_", json!({ "latency_ms": 60_000 })).await?;
    let worker = Worker::start(&bench, &platform).await?;
    eventually(PATIENCE, "a fetch", async || Ok((platform.all_fetches().await? > 0).then_some(()))).await?;
    drop(worker);
    bench.until_ready(Queue::Work, 32).await?;
    assert_eq!(bench.queued().await?, (32, 32));

    platform.heals().await?;
    let worker = Worker::start(&bench, &platform).await?;
    all_applied_once(&bench, 32).await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    bench.until_ready(Queue::Dead, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_ends_every_worker_is_soon_alone_and_the_others_are_applied() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    in_one_message(&platform, &bench, 32).await?;
    platform.fails("sesn_00", json!({ "latency_ms": 60_000 })).await?;
    for crash in 1..=3 {
        let worker = Worker::start(&bench, &platform).await?;
        eventually(PATIENCE, "the fetch that ends the worker", async || {
            let fetches = platform.fetches("sesn_00").await?;
            ensure!(fetches == crash, "{fetches}");
            Ok(Some(()))
        })
        .await?;
        if crash == 3 {
            eventually(PATIENCE, "the others applied", async || {
                let ledger = bench.ledger().await?;
                ensure!((ledger.applied, ledger.pending) == (31, 1), "{ledger:?}");
                ensure!(testkit::broker::depth(&bench.queues.work()).await? == 0);
                Ok(Some(()))
            })
            .await?;
        }
        drop(worker);
        eventually(PATIENCE, "messages that came back", async || {
            Ok((testkit::broker::depth(&bench.queues.work()).await? > 0).then_some(()))
        })
        .await?;
    }
    // Others may have been acknowledged or not when the worker died; they are known as done by now.
    let messages = bench.messages(Queue::Work).await?;
    assert!(messages.iter().all(|message| message.events() == 1));
    let id =
        |message: &testkit::broker::Peeked| message.properties.message_id().as_ref().map(ToString::to_string);
    assert!(messages.iter().any(|message| id(message).as_deref() == Some("whe_00")));

    platform.heals().await?;
    let worker = Worker::start(&bench, &platform).await?;
    all_applied_once(&bench, 32).await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    bench.until_ready(Queue::Dead, 0).await
}

fn named(id: &str) -> Result<NewEvent> {
    platform_event(id, "session.updated", "sesn_1", -1)
}

async fn pass(bench: &Bench) -> Result<Settled> {
    Ok(settle(&bench.store, &bench.broker, &*bench.clock, "worker-1").await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_dies_of_a_message_of_several_events_among_the_dead_letters() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let known = [named("whe_waiting")?, named("whe_done")?, named("whe_retried")?, named("whe_throttled")?];
    let rows = bench.stored(&known).await?;
    let unknown = named("whe_unknown")?;
    bench
        .texts("UPDATE events SET status = 'applied', finished_at = now() WHERE event_id = 'whe_done' RETURNING ''")
        .await?;
    bench.texts("UPDATE events SET tries = 1 WHERE event_id = 'whe_retried' RETURNING ''").await?;
    let later =
        Intention { event: rows[3], queue: store::Queue::Work, generation: 1, tries: 0, due_at: after(600) };
    store::schedule(&mut *bench.store.connection().await?, &[later]).await?;
    let mut messages: Vec<Message> = known.iter().chain([&unknown]).map(message).collect();
    messages.push(Message { payload: "garbage".into(), ..messages[0].clone() });
    bench.publish_bundled(Queue::Dead, &messages).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    let found = inspect(&bench.store, &bench.broker, &*bench.clock).await?;
    assert_eq!((found.seen, found.surplus, found.foreign, found.agree), (1, 1, 0, false));

    assert_eq!(pass(&bench).await?, Settled { seen: 1, removed: 1, foreign: 1, ..Settled::default() });
    let planned = "SELECT concat_ws(' ', event_id, queue, outbox.generation, outbox.tries, \
         extract(epoch FROM due_at - '2026-03-15T12:00:00Z')::bigint) \
         FROM outbox JOIN events ON events.id = event ORDER BY event_id";
    let expected = ["whe_throttled work 1 0 600", "whe_unknown work 1 0 0", "whe_waiting work 1 0 0"];
    assert_eq!(bench.texts(planned).await?, expected);
    assert_eq!(bench.detail("whe_unknown").await?.source, "queue");
    assert_eq!(bench.texts("SELECT convert_from(body, 'UTF8') FROM quarantine").await?, ["garbage"]);
    assert_eq!(bench.ledger().await?.dead, 0);
    bench.until_ready(Queue::Dead, 0).await?;
    assert!(check(&bench.store, &bench.broker).await?.agree);

    let relay = bench.relay().await?;
    let worker = Worker::start(&bench, &platform).await?;
    for id in ["whe_waiting", "whe_unknown"] {
        // They tie in time, so the one that comes second may find itself overtaken.
        let finished =
            |detail: &store::EventDetail| ["applied", "superseded"].contains(&detail.row.status.as_str());
        bench.until(id, "finished", finished).await?;
    }
    worker.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    assert_eq!(bench.queued().await?.0, 0);
    Ok(())
}

/// The pass that dies after its commit leaves the message, and the next one finds everything done.
#[tokio::test(flavor = "multi_thread")]
async fn taking_a_message_apart_twice_schedules_its_events_once() -> Result<()> {
    let bench = Bench::new().await?;
    let events = [named("whe_1")?, named("whe_2")?];
    bench.stored(&events[..1]).await?;
    let messages = events.each_ref().map(message);
    for _ in 0..2 {
        bench.publish_bundled(Queue::Dead, &messages).await?;
        bench.until_ready(Queue::Dead, 1).await?;
        assert_eq!(pass(&bench).await?, Settled { seen: 1, removed: 1, ..Settled::default() });
        assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 2);
        bench.until_ready(Queue::Dead, 0).await?;
    }
    Ok(())
}
