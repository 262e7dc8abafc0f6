//! From messages to changed resources.

use crate::bench::{Bench, PATIENCE, Platform, Worker, after, message, platform_event};
use anyhow::{Result, ensure};
use broker::Queue;
use domain::{EventStatus, ResourceKind};
use serde_json::json;
use store::NewEvent;
use testkit::{eventually, payload};

/// In seconds.
const CENTURY: i64 = 100 * 365 * 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_applied_with_what_was_fetched_and_its_message_is_gone() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.waiting("sesn_1").await?;
    let event = platform_event("whe_1", "session.status_idled", "sesn_1", -1)?;
    bench.accept(std::slice::from_ref(&event)).await?;
    let worker = Worker::start(&bench, &platform).await?;
    bench.publish(Queue::Work, &[message(&event)]).await?;
    let applied = bench.until_status("whe_1", EventStatus::Applied).await?;
    assert_eq!((applied.row.tries, applied.due_at), (0, None));
    worker.stopped().await?;
    bench.until_ready(Queue::Work, 0).await?;
    let story = ops::story::resource_story(&bench.store, ResourceKind::Session, "sesn_1").await?;
    let story = story.expect("the session is stored");
    assert_eq!(story.status.as_deref(), Some("idle"));
    assert_eq!(story.last_event.as_deref(), Some("whe_1"));
    assert_eq!(story.snapshot_source.as_deref(), Some("api"));
    assert_eq!(story.waiting.expect("it waits").reason, "requires_action");
    assert_eq!(story.history.len(), 1);
    let reviews: Vec<_> = story.effects.iter().map(|effect| effect.key.as_str()).collect();
    assert_eq!(reviews, ["sesn_1_ask_1", "sesn_1_ask_2"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_events_of_a_session_cost_one_fetch() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let events: Vec<NewEvent> = (0..50)
        .map(|n| platform_event(&format!("whe_{n}"), "session.updated", "sesn_1", -n))
        .collect::<Result<_>>()?;
    bench.accept(&events).await?;
    let messages: Vec<_> = events.iter().map(message).collect();
    bench.publish(Queue::Work, &messages).await?;
    // What is fetched now covers all that was received until ten seconds before.
    bench.advance(15);
    let worker = Worker::start(&bench, &platform).await?;
    eventually(PATIENCE, "no pending event", async || {
        let ledger = bench.ledger().await?;
        ensure!(ledger.pending == 0, "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    worker.stopped().await?;
    assert_eq!(platform.fetches("sesn_1").await?, 1);
    let ledger = bench.ledger().await?;
    assert_eq!(ledger.applied + ledger.superseded, 50);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_received_after_the_last_fetch_leads_to_another_one() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let worker = Worker::start(&bench, &platform).await?;
    for (n, seconds) in [(1, 0), (2, 60)] {
        let id = format!("whe_{n}");
        let event = NewEvent {
            received_at: after(seconds),
            ..platform_event(&id, "session.updated", "sesn_1", seconds - 1)?
        };
        bench.clock.set(after(seconds + 1));
        bench.accept(std::slice::from_ref(&event)).await?;
        bench.publish(Queue::Work, &[message(&event)]).await?;
        bench.until_status(&id, EventStatus::Applied).await?;
        assert_eq!(platform.fetches("sesn_1").await?, n);
    }
    worker.stopped().await
}

/// Both are received before the first fetch, but not so long before it that the clocks of two machines could not differ.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_received_costs_another_fetch_unless_the_state_that_was_seen_is_younger() -> Result<()>
{
    // The platform's session changed when it was made: long after the one event, and long before the other.
    for (happened, fetches) in [(-1, 1), (CENTURY, 2)] {
        let (bench, platform) = (Bench::new().await?, Platform::start().await?);
        platform.running("sesn_1").await?;
        let worker = Worker::start(&bench, &platform).await?;
        bench.clock.set(after(5));
        for (id, created) in [("whe_1", -2), ("whe_2", happened)] {
            let event = NewEvent {
                received_at: after(0),
                ..platform_event(id, "session.updated", "sesn_1", created)?
            };
            bench.accept(std::slice::from_ref(&event)).await?;
            bench.publish(Queue::Work, &[message(&event)]).await?;
            bench.until_status(id, EventStatus::Applied).await?;
        }
        assert_eq!(platform.fetches("sesn_1").await?, fetches, "{happened}");
        worker.stopped().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_event_was_never_stored_is_enough_to_store_and_apply_it() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let event = platform_event("whe_1", "session.running", "sesn_1", -1)?;
    // Twice, as after a confirm that got lost.
    bench.publish(Queue::Work, &[message(&event), message(&event)]).await?;
    let worker = Worker::start(&bench, &platform).await?;
    let applied = bench.until_status("whe_1", EventStatus::Applied).await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    assert_eq!(applied.source, "queue");
    assert_eq!(applied.payload, event.payload);
    assert_eq!(applied.row.received_at, event.received_at);
    assert_eq!(applied.row.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 1);
    bench.until_outbox(0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_an_earlier_try_or_life_are_let_go_without_effect() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let event = platform_event("whe_1", "session.running", "sesn_1", -1)?;
    bench.accept(std::slice::from_ref(&event)).await?;
    bench.texts("UPDATE events SET generation = 3, tries = 1 RETURNING event_id").await?;
    let stale = [(1, 0), (1, 1), (3, 0), (2, 1)];
    let stale = stale.map(|(generation, tries)| broker::Message { generation, tries, ..message(&event) });
    bench.publish(Queue::Work, &stale).await?;
    let worker = Worker::start(&bench, &platform).await?;
    eventually(PATIENCE, "four messages let go", async || {
        let repeated = bench.metric("worker_events_total{outcome=\"repeated\"}")?;
        ensure!(repeated > 3.5, "{repeated}");
        Ok(Some(()))
    })
    .await?;
    assert_eq!(bench.detail("whe_1").await?.row.status, "pending");
    // One that says to be the very first, and comes before the others, is found out only as its result is written.
    assert!(platform.fetches("sesn_1").await? <= 1);

    let current = broker::Message { generation: 3, tries: 1, ..message(&event) };
    bench.publish(Queue::Work, &[current.clone(), current]).await?;
    bench.until_status("whe_1", EventStatus::Applied).await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, 1);
    Ok(())
}

/// The flat dialect names no workspace. Whichever event of a group comes last, what another one named stays.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_names_no_workspace_does_not_hide_that_of_another() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    platform.fails("sesn_1", json!({ "latency_ms": 300 })).await?;
    let flat = |id| crate::bench::event(&payload::flat(id, "session.updated", "sesn_1", after(-1)));
    // The first one alone keeps the session busy until the others have gathered.
    let events = [flat("whe_1")?, platform_event("whe_2", "session.updated", "sesn_1", -1)?, flat("whe_3")?];
    bench.accept(&events).await?;
    bench.publish(Queue::Work, &events.each_ref().map(message)).await?;
    let worker = Worker::start(&bench, &platform).await?;
    bench.until("whe_3", "finished", |detail| detail.finished_at.is_some()).await?;
    worker.stopped().await?;
    let workspaces = bench.texts("SELECT workspace_id FROM resources").await?;
    assert_eq!(workspaces, [payload::WORKSPACE]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_from_which_nothing_follows_are_ignored_without_a_fetch() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let events = [
        crate::bench::event(&json!({ "event_id": "whe_1", "type": "message.flagged_again",
            "created_at": after(-1).timestamp(), "data": { "id": "msg_1" } }))?,
        platform_event("whe_2", "weather.changed", "x_1", -1)?,
    ];
    bench.accept(&events).await?;
    let worker = Worker::start(&bench, &platform).await?;
    bench.publish(Queue::Work, &events.each_ref().map(message)).await?;
    for id in ["whe_1", "whe_2"] {
        bench.until_status(id, EventStatus::Ignored).await?;
    }
    worker.stopped().await?;
    assert_eq!(bench.number("SELECT count(*) FROM resource_history").await?, 0);
    for about in ["message", "none"] {
        let counted = bench.metric(&format!("worker_unknown_types_total{{resource=\"{about}\"}}"))?;
        assert!((counted - 1.0).abs() < 0.1, "{about}: {counted}");
    }
    bench.until_outbox(0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classic_event_is_applied_from_its_payload() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let denied = crate::bench::event(&payload::moderation_denied("evt_1", "msg_1", after(-1)))?;
    bench.accept(std::slice::from_ref(&denied)).await?;
    let worker = Worker::start(&bench, &platform).await?;
    bench.publish(Queue::Work, &[message(&denied)]).await?;
    bench.until_status("evt_1", EventStatus::Applied).await?;
    worker.stopped().await?;
    let story = ops::story::resource_story(&bench.store, ResourceKind::Message, "msg_1").await?;
    let story = story.expect("the message is stored");
    assert_eq!(story.status.as_deref(), Some("denied"));
    assert_eq!(story.snapshot_source.as_deref(), Some("payload"));
    assert_eq!(story.effects.len(), 1);
    assert_eq!((story.effects[0].kind.as_str(), story.effects[0].key.as_str()), ("alert", "evt_1"));
    assert_eq!(story.effects[0].detail, "content_moderation.denied: sexual (level high)");
    let filter = store::MessageFilter {
        resource: store::ResourceFilter { limit: 10, ..store::ResourceFilter::default() },
        blocked: Some("sexual".to_owned()),
        level: Some("high".to_owned()),
    };
    let found = store::list_messages(&mut *bench.store.connection().await?, &filter).await?;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].resource.id.as_str(), found[0].message.prompt_tokens), ("msg_1", Some(150)));
    Ok(())
}
