//! What another delivery of a known event leads to.

use crate::bench::{Bench, after, again, event, failure, noon, numbers};
use anyhow::Result;
use domain::EventStatus;
use store::{Finished, Intention, NewEvent, Queue};

async fn seconds(bench: &Bench, due_at: &str) -> Result<i64> {
    bench.number(format!("SELECT extract(epoch FROM due_at)::bigint - {} {due_at}", noon().timestamp())).await
}

/// When the relay takes over the bundle of an event, in seconds after noon.
async fn bundle_due(bench: &Bench, id: &str) -> Result<i64> {
    let which = format!("JOIN events ON events.id = ANY(bundles.events) WHERE event_id = '{id}'");
    seconds(bench, &format!("FROM bundles {which}")).await
}

/// When an event's own message is due, in seconds after noon.
async fn message_due(bench: &Bench, id: &str) -> Result<i64> {
    seconds(bench, &format!("FROM outbox JOIN events ON events.id = event WHERE event_id = '{id}'")).await
}

fn own(event: i64, queue: Queue, tries: u32, due: i64) -> Intention {
    Intention { event, queue, generation: 1, tries, due_at: after(due) }
}

#[tokio::test]
async fn an_unpublished_bundle_is_kicked_by_a_duplicate_of_an_event_that_is_older_than_a_second() -> Result<()>
{
    let bench = Bench::new().await?;
    bench.accept(&[event("evt_1")?, event("evt_2")?]).await?;
    bench.accept(&[event("evt_3")?]).await?;
    bench.accept(&[again("evt_1", 1)?]).await?;
    assert_eq!(bundle_due(&bench, "evt_1").await?, 10, "one second is not older than a second");
    bench.accept(&[again("evt_2", 2)?, again("evt_1", 2)?]).await?;
    assert_eq!(bundle_due(&bench, "evt_1").await?, 2);
    bench.accept(&[again("evt_1", 3)?]).await?;
    assert_eq!(bundle_due(&bench, "evt_1").await?, 2, "what is due already is left alone");
    assert_eq!(bundle_due(&bench, "evt_3").await?, 10, "of the others nothing is known");
    Ok(())
}

#[tokio::test]
async fn a_bundle_that_is_being_claimed_or_settled_keeps_no_duplicate_waiting() -> Result<()> {
    let bench = Bench::new().await?;
    bench.accept(&[event("evt_1")?]).await?;
    let mut relay = bench.store.begin("claim").await?;
    assert_eq!(store::claim_bundles(&mut relay, after(10), after(30), 1).await?.len(), 1);
    bench.accept(&[again("evt_1", 9)?]).await?;
    relay.commit().await?;
    assert_eq!(bundle_due(&bench, "evt_1").await?, 30, "it is being published right now");
    assert_eq!(bench.number("SELECT deliveries::bigint FROM events").await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_is_published_or_finished_is_not_published_again() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let published = bench.accept(&[event("evt_published")?]).await?;
    store::confirm_bundles(&mut connection, published.bundle.as_slice()).await?;
    let finished = bench.accept(&[event("evt_finished")?]).await?;
    let done = Finished { event: numbers(&finished)?[0], status: EventStatus::Applied };
    store::finish(&mut connection, &[done], after(5)).await?;
    bench.accept(&[again("evt_published", 30)?, again("evt_finished", 30)?]).await?;
    assert_eq!(bundle_due(&bench, "evt_finished").await?, 10);
    assert_eq!(bench.number("SELECT count(*) FROM bundles").await?, 1);
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 0);
    assert_eq!(bench.number("SELECT min(deliveries)::bigint FROM events").await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_duplicate_leaves_a_retry_and_a_dead_letter_alone() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_retry", "evt_dead"]).await?;
    let planned = [own(tickets[0].event, Queue::Work, 1, 60), own(tickets[1].event, Queue::Dead, 0, 60)];
    let mut connection = bench.store.connection().await?;
    store::schedule(&mut connection, &planned).await?;
    bench.accept(&[again("evt_retry", 30)?, again("evt_dead", 30)?]).await?;
    assert_eq!((message_due(&bench, "evt_retry").await?, message_due(&bench, "evt_dead").await?), (60, 60));
    Ok(())
}

#[tokio::test]
async fn a_duplicate_does_not_shorten_a_wait_that_the_api_asked_for() -> Result<()> {
    let bench = Bench::new().await?;
    let accepted = bench.accept(&[event("evt_1")?]).await?;
    let row = numbers(&accepted)?[0];
    // Throttled: waits without having used up a try. The confirm of its first publish was lost.
    let waits =
        store::Failure { counts: false, class: domain::FailureClass::Throttled, ..failure(row, 0, false) };
    let mut tx = bench.store.begin("fail").await?;
    store::record_failures(&mut tx, &[waits], "worker-1", noon()).await?;
    store::schedule(&mut tx, &[own(row, Queue::Work, 0, 600)]).await?;
    tx.commit().await?;
    bench.accept(&[again("evt_1", 30)?]).await?;
    assert_eq!(message_due(&bench, "evt_1").await?, 600);
    let mut connection = bench.store.connection().await?;
    let claimed = store::claim_bundles(&mut connection, after(30), after(50), 10).await?;
    assert!(claimed.iter().all(|bundle| bundle.events.is_empty()), "{claimed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_from_many_sides_are_all_counted() -> Result<()> {
    let bench = Bench::new().await?;
    let events: Vec<NewEvent> = (0..50).map(|n| event(&format!("evt_{n}"))).collect::<Result<_>>()?;
    bench.accept(&events).await?;
    let backward: Vec<NewEvent> = events.iter().rev().cloned().collect();
    for _ in 0..10 {
        tokio::try_join!(bench.accept(&events), bench.accept(&backward), bench.accept(&events[20..]))?;
    }
    assert_eq!(bench.number("SELECT sum(deliveries)::bigint FROM events").await?, 50 + 10 * 130);
    Ok(())
}
