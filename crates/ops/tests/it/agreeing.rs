//! Agreement of the dead letters when more happens than a letter that is lost or over.

use crate::bench::{Bench, Duty, PATIENCE, after, message, noon, platform_event};
use crate::settling::{agrees, died, letter, named, pass};
use anyhow::{Context, Result, ensure};
use broker::{Consumer, ConsumerConfig, Control, Flow, Message, Queue};
use ops::dead::{Settled, Settler, check, discard, inspect};
use std::sync::Arc;
use store::{DeadFilter, NewEvent};
use testkit::eventually;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A replay has taken the event and not committed yet when the pass looks for lost letters.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_under_way_is_not_undone_by_restoring() -> Result<()> {
    let bench = Bench::new().await?;
    died(&bench, &[named("whe_1")?]).await?;
    let mut replaying = bench.store.begin("replay").await?;
    let replay = store::start_replay(&mut replaying, &DeadFilter::default(), 1, noon()).await?;
    assert_eq!(store::replay_chunk(&mut replaying, replay, &DeadFilter::default(), 1, noon()).await?, 1);
    // It waits for nobody: it would go on with what it had seen before.
    let settled = timeout(PATIENCE, pass(&bench)).await.context("the pass waits for the replay")??;
    replaying.commit().await?;
    assert_eq!(settled, Settled::default());
    assert_eq!(bench.texts("SELECT queue FROM outbox").await?, ["work"], "the replay's message goes out");
    assert_eq!(bench.detail("whe_1").await?.row.status, "pending");
    Ok(())
}

/// Somebody takes letters out of the queue and keeps them.
struct Thief {
    taken: mpsc::Receiver<broker::Delivery>,
    _duty: Duty,
    _flow: watch::Sender<Flow>,
}

impl Thief {
    fn start(bench: &Bench) -> Self {
        let (flow_sender, flow) = watch::channel(Flow::Running);
        let control = Control { flow, drain: CancellationToken::new(), close: CancellationToken::new() };
        let config = ConsumerConfig::new(Queue::Dead, 10_000);
        let consumer = Consumer::new(bench.broker.clone(), config, broker::Metrics::default());
        let (sink, taken) = mpsc::channel(10_000);
        Self { taken, _duty: Duty::start(|_| consumer.run(sink, control)), _flow: flow_sender }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_broke_off_takes_nothing_for_lost() -> Result<()> {
    let bench = Bench::new().await?;
    let mut events = vec![named("whe_pending")?];
    bench.accept(&events).await?;
    let dead = (0..299).map(|n| named(&format!("whe_{n}"))).collect::<Result<Vec<NewEvent>>>()?;
    died(&bench, &dead).await?;
    // The first letter is of an event that is not dead. The pass waits for its row, which the test holds.
    let letters: Vec<Message> = [message(&events[0])].into_iter().chain(dead.iter().map(letter)).collect();
    bench.publish(Queue::Dead, &letters).await?;
    bench.until_ready(Queue::Dead, 300).await?;
    let mut holder = bench.store.begin("hold").await?;
    store::lock_events(&mut holder, &[events.remove(0).key()]).await?;
    let stealing = async {
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
        // The pass holds two hundred; the rest goes to somebody else, and so do the copies that the pass makes.
        let mut thief = Thief::start(&bench);
        for _ in 0..100 {
            timeout(PATIENCE, thief.taken.recv()).await?.context("no letter")?;
        }
        holder.commit().await?;
        anyhow::Ok(thief)
    };
    let (settled, _thief) = tokio::try_join!(pass(&bench), stealing)?;
    assert_eq!((settled.seen, settled.adopted, settled.restored), (200, 1, 0), "{settled:?}");
    assert_eq!(bench.number("SELECT count(*) FROM outbox WHERE queue = 'dead'").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_somebody_moved_to_the_dead_letters_makes_its_event_dead() -> Result<()> {
    let bench = Bench::new().await?;
    let (known, unknown) = (named("whe_known")?, named("whe_unknown")?);
    bench.accept(std::slice::from_ref(&known)).await?;
    // As a management page moves it: published anew, without the broker's note of how it died.
    bench.publish(Queue::Dead, &[message(&known), message(&unknown)]).await?;
    bench.until_ready(Queue::Dead, 2).await?;
    let settled = pass(&bench).await?;
    assert_eq!(settled, Settled { seen: 2, kept: 2, adopted: 2, ..Settled::default() });
    for id in ["whe_known", "whe_unknown"] {
        let found = bench.detail(id).await?;
        assert_eq!(found.row.status, "dead");
        assert!(found.row.last_error.is_some_and(|error| error.contains("moved by hand")), "{id}");
    }
    bench.until_outbox(0).await?;
    agrees(&bench).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_the_headers_of_a_message_stops_no_pass() -> Result<()> {
    let bench = Bench::new().await?;
    let nul = || Some("a\0b".to_owned());
    let unknown = Message { content_type: nul(), traceparent: nul(), ..message(&named("whe_unknown")?) };
    let foreign = Message { endpoint: "a\0b".to_owned(), ..message(&named("whe_foreign")?) };
    let garbage = Message { payload: "{\"id\":\"a\\u0000b\"}".into(), ..message(&named("whe_garbage")?) };
    bench.publish(Queue::Dead, &[unknown, foreign, garbage]).await?;
    bench.until_ready(Queue::Dead, 3).await?;
    let settled = pass(&bench).await?;
    assert_eq!((settled.seen, settled.adopted, settled.kept, settled.foreign), (3, 1, 1, 2));
    let found = bench.detail("whe_unknown").await?;
    assert_eq!((found.row.status.as_str(), found.content_type), ("dead", None));
    assert_eq!(bench.number("SELECT count(*) FROM quarantine").await?, 2);
    agrees(&bench).await
}

/// One letter is lost and another one is over: the figures agree, and the two sides do not.
async fn cancelled_out(bench: &Bench) -> Result<()> {
    let (lost, done) = (named("whe_lost")?, named("whe_done")?);
    died(bench, std::slice::from_ref(&lost)).await?;
    bench.accept(std::slice::from_ref(&done)).await?;
    bench
        .texts("UPDATE events SET status = 'applied', finished_at = now() WHERE event_id = 'whe_done' RETURNING ''")
        .await?;
    bench.texts("DELETE FROM outbox RETURNING ''").await?;
    bench.publish(Queue::Dead, &[letter(&done)]).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    assert!(check(&bench.store, &bench.broker).await?.agree, "the figures hide it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_that_cancel_out_are_seen_by_whoever_looks_at_each() -> Result<()> {
    let bench = Bench::new().await?;
    cancelled_out(&bench).await?;
    let found = inspect(&bench.store, &bench.broker, &*bench.clock).await?;
    assert_eq!((found.seen, found.right, found.surplus, found.foreign, found.missing), (1, 0, 1, 0, 1));
    assert!(found.complete && !found.agree, "{found:?}");
    // Looking changes nothing.
    bench.until_ready(Queue::Dead, 1).await?;
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 0);
    let settled = pass(&bench).await?;
    assert_eq!((settled.removed, settled.restored), (1, 1));
    let relay = bench.relay().await?;
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    relay.stopped_within(PATIENCE).await?;
    let found = inspect(&bench.store, &bench.broker, &*bench.clock).await?;
    assert!(found.agree && found.right == 1, "{found:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_that_cancel_out_are_settled_after_some_minutes() -> Result<()> {
    let bench = Bench::new().await?;
    cancelled_out(&bench).await?;
    let mut connection = bench.store.connection().await?;
    store::record_settled(&mut connection, noon()).await?;
    bench.advance(301);
    let settler = Settler::new(
        bench.store.clone(),
        bench.broker.clone(),
        Arc::clone(&bench.clock) as _,
        "worker-1".to_owned(),
    );
    let settler = Duty::start(|stop| settler.run(stop));
    eventually(PATIENCE, "a letter for the dead event", async || {
        let planned = bench.number("SELECT count(*) FROM outbox WHERE queue = 'dead'").await?;
        ensure!(planned == 1, "{planned} planned");
        Ok(Some(()))
    })
    .await?;
    eventually(PATIENCE, "a record of the pass", async || {
        let last = store::last_settled(&mut connection).await?;
        ensure!(last == Some(after(301)), "{last:?}");
        Ok(Some(()))
    })
    .await?;
    bench.until_ready(Queue::Dead, 0).await?;
    settler.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discard_comes_back_for_what_somebody_holds_for_a_moment() -> Result<()> {
    let bench = Bench::new().await?;
    let events = [named("whe_1")?, named("whe_2")?];
    died(&bench, &events).await?;
    let mut holder = bench.store.begin("hold").await?;
    store::lock_events(&mut holder, &[platform_event("whe_1", "session.running", "sesn_1", -1)?.key()])
        .await?;
    let letting_go = async {
        bench.until("whe_2", "discarded", |detail| detail.row.status == "discarded").await?;
        anyhow::Ok(holder.commit().await?)
    };
    let filter = DeadFilter::default();
    let discarding = async { Ok(discard(&bench.store, &*bench.clock, &filter, "noise").await?) };
    let (done, ()) = tokio::try_join!(discarding, letting_go)?;
    assert_eq!((done.count, done.held), (2, 0));
    Ok(())
}
