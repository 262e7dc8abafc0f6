//! The broker's copies of dead letters agree with Postgres.

use crate::bench::{Bench, PATIENCE, after, broker_at, message, noon, platform_event};
use anyhow::{Result, ensure};
use broker::{Inspector, Message, Queue};
use domain::{EventStatus, FailureClass};
use ops::dead::{Settled, check, settle};
use std::collections::BTreeSet;
use store::{DeadFilter, Failure, NewEvent};
use testkit::eventually;
use testkit::proxy::TcpProxy;

pub(crate) async fn pass(bench: &Bench) -> Result<Settled> {
    Ok(settle(&bench.store, &bench.broker, &*bench.clock, "worker-1").await?)
}

pub(crate) fn named(id: &str) -> Result<NewEvent> {
    platform_event(id, "session.running", "sesn_1", -1)
}

/// The letter of an event that died of its third failure.
pub(crate) fn letter(event: &NewEvent) -> Message {
    let failure = broker::Failure { class: FailureClass::Transient, reason: "no answer".to_owned() };
    Message { tries: 3, failure: Some(failure), ..message(event) }
}

/// Stores events that died ten seconds ago, without any letter.
pub(crate) async fn died(bench: &Bench, events: &[NewEvent]) -> Result<()> {
    bench.accept(events).await?;
    let mut tx = bench.store.begin("die").await?;
    let keys: Vec<_> = events.iter().map(NewEvent::key).collect();
    let locked = store::lock_events(&mut tx, &keys).await?;
    let rows: Vec<i64> = locked.values().map(|locked| locked.event).collect();
    let failure = |event: &i64| Failure {
        event: *event,
        generation: 1,
        tries: 3,
        counts: true,
        dead: true,
        started_at: after(-10),
        class: FailureClass::Transient,
        error: "no answer".to_owned(),
        request_id: None,
    };
    let failures: Vec<Failure> = rows.iter().map(failure).collect();
    store::record_failures(&mut tx, &failures, "worker-1", after(-10)).await?;
    store::unschedule(&mut tx, &rows).await?;
    Ok(tx.commit().await?)
}

pub(crate) async fn agrees(bench: &Bench) -> Result<()> {
    eventually(PATIENCE, "agreement", async || {
        let agreement = check(&bench.store, &bench.broker).await?;
        ensure!(agreement.agree, "{agreement:?}");
        Ok(Some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_agrees_stays_and_so_does_everything_else() -> Result<()> {
    let bench = Bench::new().await?;
    let event = named("whe_1")?;
    died(&bench, std::slice::from_ref(&event)).await?;
    bench.publish(Queue::Dead, &[letter(&event)]).await?;
    agrees(&bench).await?;
    for _ in 0..2 {
        let settled = pass(&bench).await?;
        assert_eq!(settled, Settled { seen: 1, kept: 1, ..Settled::default() });
        bench.until_ready(Queue::Dead, 1).await?;
    }
    let found = bench.detail("whe_1").await?;
    assert_eq!((found.row.dead_at, found.row.tries), (Some(after(-10)), 3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_a_life_that_is_over_and_second_copies_go() -> Result<()> {
    let bench = Bench::new().await?;
    let events = [named("whe_kept")?, named("whe_replayed")?, named("whe_discarded")?];
    died(&bench, &events).await?;
    let letters: Vec<Message> = events.iter().map(letter).collect();
    bench.publish(Queue::Dead, &[&letters[..], &letters[..1]].concat()).await?;
    bench.until_ready(Queue::Dead, 4).await?;
    let one = |id: &str| DeadFilter { event_ids: Some(vec![id.to_owned()]), ..DeadFilter::default() };
    let mut tx = bench.store.begin("decide").await?;
    let replay = store::start_replay(&mut tx, &one("whe_replayed"), 1, noon()).await?;
    assert_eq!(store::replay_chunk(&mut tx, replay, &one("whe_replayed"), 1, noon()).await?, 1);
    let discarded = store::select_dead(&mut tx, &one("whe_discarded"), 1).await?;
    store::discard(&mut tx, &discarded, "noise", noon()).await?;
    tx.commit().await?;
    let before = check(&bench.store, &bench.broker).await?;
    assert_eq!((before.postgres, before.unpublished, before.broker, before.agree), (1, 0, 4, false));

    let settled = pass(&bench).await?;
    assert_eq!(settled, Settled { seen: 4, kept: 1, removed: 3, ..Settled::default() });
    bench.until_ready(Queue::Dead, 1).await?;
    assert_eq!(bench.detail("whe_replayed").await?.row.status, "pending");
    assert_eq!(bench.detail("whe_discarded").await?.row.status, "discarded");
    agrees(&bench).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gave_up_on_is_dead_in_postgres_too() -> Result<()> {
    let bench = Bench::new().await?;
    let (known, unknown) = (named("whe_known")?, named("whe_unknown")?);
    bench.accept(std::slice::from_ref(&known)).await?;
    bench.publish(Queue::Work, &[message(&known), message(&unknown)]).await?;
    bench.reject_all(2).await?;
    bench.until_ready(Queue::Dead, 2).await?;
    let settled = pass(&bench).await?;
    assert_eq!(settled, Settled { seen: 2, kept: 2, adopted: 2, ..Settled::default() });
    for (id, source) in [("whe_known", "webhook"), ("whe_unknown", "queue")] {
        let found = bench.detail(id).await?;
        assert_eq!((found.row.status.as_str(), found.source.as_str()), ("dead", source));
        assert_eq!((found.row.error_class.as_deref(), found.row.tries), (Some("bug"), 0));
        assert!(found.row.last_error.is_some_and(|error| error.contains("rejected")), "{id}");
    }
    bench.until_outbox(0).await?;
    agrees(&bench).await?;
    assert_eq!(pass(&bench).await?, Settled { seen: 2, kept: 2, ..Settled::default() });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_has_moved_on_is_not_adopted() -> Result<()> {
    let bench = Bench::new().await?;
    let (done, retried) = (named("whe_done")?, named("whe_retried")?);
    bench.accept(&[done.clone(), retried.clone()]).await?;
    bench.publish(Queue::Work, &[message(&done), message(&retried)]).await?;
    bench.reject_all(2).await?;
    bench.until_ready(Queue::Dead, 2).await?;
    bench
        .texts("UPDATE events SET status = 'applied', finished_at = now() WHERE event_id = 'whe_done' RETURNING ''")
        .await?;
    bench.texts("UPDATE events SET tries = 1 WHERE event_id = 'whe_retried' RETURNING ''").await?;
    let settled = pass(&bench).await?;
    assert_eq!(settled, Settled { seen: 2, removed: 2, ..Settled::default() });
    assert_eq!(bench.detail("whe_done").await?.row.status, "applied");
    assert_eq!(bench.detail("whe_retried").await?.row.status, "pending");
    Ok(())
}

/// A worker applies the event in the middle of the pass, between its look and its mark.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_applied_at_this_moment_is_not_adopted() -> Result<()> {
    let bench = Bench::new().await?;
    let event = named("whe_1")?;
    bench.accept(std::slice::from_ref(&event)).await?;
    bench.publish(Queue::Work, &[message(&event)]).await?;
    bench.reject_all(1).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    let mut worker = bench.store.begin("apply").await?;
    let locked = store::lock_events(&mut worker, &[event.key()]).await?;
    let row = locked[&event.key()].event;
    let applying = async {
        eventually(PATIENCE, "a pass that waits for the event", async || {
            let waiting = bench
                .number(
                    "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'",
                )
                .await?;
            ensure!(waiting == 1, "{waiting} wait");
            Ok(Some(()))
        })
        .await?;
        let done = store::Finished { event: row, status: EventStatus::Applied };
        store::finish(&mut worker, &[done], noon()).await?;
        worker.commit().await?;
        anyhow::Ok(())
    };
    let (settled, ()) = tokio::try_join!(pass(&bench), applying)?;
    assert_eq!(settled, Settled { seen: 1, removed: 1, ..Settled::default() });
    assert_eq!(bench.detail("whe_1").await?.row.status, "applied");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_the_broker_lost_is_published_anew() -> Result<()> {
    let bench = Bench::new().await?;
    let events = [named("whe_1")?, named("whe_2")?];
    died(&bench, &events).await?;
    bench.publish(Queue::Dead, &[letter(&events[0])]).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    let settled = pass(&bench).await?;
    assert_eq!(settled, Settled { seen: 1, kept: 1, restored: 1, ..Settled::default() });
    let agreement = check(&bench.store, &bench.broker).await?;
    assert_eq!((agreement.postgres, agreement.unpublished), (2, 1));
    let relay = bench.relay().await?;
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Dead, 2).await?;
    relay.stopped_within(PATIENCE).await?;
    agrees(&bench).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_is_killed_half_way_loses_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let events = (0..300).map(|n| named(&format!("whe_{n}"))).collect::<Result<Vec<_>>>()?;
    died(&bench, &events).await?;
    bench.publish(Queue::Dead, &events.iter().map(letter).collect::<Vec<_>>()).await?;
    bench.until_ready(Queue::Dead, 300).await?;
    let (proxy, url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    let broker = broker_at(&url, &bench.queues)?;
    let doomed = settle(&bench.store, &broker, &*bench.clock, "worker-1");
    let cutting = async {
        // Half way: the first letters are taken out of the queue.
        eventually(PATIENCE, "letters taken", async || {
            ensure!(testkit::broker::depth(&bench.queues.dead()).await? < 300);
            Ok(Some(()))
        })
        .await?;
        proxy.cut();
        anyhow::Ok(())
    };
    let (doomed, cut) = tokio::join!(doomed, cutting);
    cut?;
    // It may have been quicker than the cut; what counts is what is left.
    drop(doomed);
    let relay = bench.relay().await?;
    // The broker's own count of a queue lags behind for some seconds, so a pass may miss letters and the next one tidies
    // up. What lies in the queue is the truth.
    eventually(PATIENCE * 2, "one letter for each dead event", async || {
        let settled = pass(&bench).await?;
        bench.until_outbox(0).await?;
        let letters = bench.messages(Queue::Dead).await?;
        let distinct: BTreeSet<_> = letters.iter().map(|letter| letter.body.clone()).collect();
        ensure!((letters.len(), distinct.len()) == (300, 300), "{} letters after {settled:?}", letters.len());
        Ok(Some(()))
    })
    .await?;
    let ledger = bench.ledger().await?;
    assert_eq!((ledger.accepted, ledger.dead), (300, 300));
    relay.stopped_within(PATIENCE).await?;
    agrees(&bench).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_either_side_a_pass_says_so() -> Result<()> {
    let bench = Bench::new().await?;
    drop(Inspector::connect(&bench.broker).await?);
    let (proxy, url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    proxy.cut();
    let away = broker_at(&url, &bench.queues)?;
    let error = settle(&bench.store, &away, &*bench.clock, "worker-1").await.unwrap_err();
    assert!(matches!(error, ops::dead::SettleError::Broker(_)), "{error:?}");
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    proxy.cut();
    let away = crate::bench::store_at(url)?;
    let error = settle(&away, &bench.broker, &*bench.clock, "worker-1").await.unwrap_err();
    assert!(matches!(error, ops::dead::SettleError::Store(_)), "{error:?}");
    Ok(())
}
