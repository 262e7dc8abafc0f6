//! Finishing events and recording failed tries.

use crate::bench::{Bench, after, event, failure, key, noon};
use anyhow::{Context, Result};
use domain::{EventStatus, FailureClass};
use store::{EventStanding, Failure, Finished, Intention, Queue};

async fn record(bench: &Bench, failures: &[Failure]) -> Result<()> {
    let mut tx = bench.store.begin("fail").await?;
    store::record_failures(&mut tx, failures, "worker-1", noon()).await?;
    tx.commit().await?;
    Ok(())
}

async fn standing(bench: &Bench, id: &str) -> Result<EventStanding> {
    let mut tx = bench.store.begin("look").await?;
    let key = key(id)?;
    let mut locked = store::lock_events(&mut tx, std::slice::from_ref(&key)).await?;
    locked.remove(&key).context("the event is stored")
}

#[tokio::test]
async fn a_finished_event_leaves_the_outbox_and_forgets_its_last_failure() -> Result<()> {
    let bench = Bench::new().await?;
    for (n, status) in
        [EventStatus::Applied, EventStatus::Superseded, EventStatus::Ignored].iter().enumerate()
    {
        let id = format!("evt_{n}");
        let event = bench.stored(&[&id]).await?[0].event;
        record(&bench, &[failure(event, 1, false)]).await?;
        let mut tx = bench.store.begin("finish").await?;
        store::finish(&mut tx, &[Finished { event, status: *status }], after(3)).await?;
        tx.commit().await?;
        let expected = EventStanding { event, status: *status, generation: 1, tries: 1, queue: Queue::Work };
        assert_eq!(standing(&bench, &id).await?, expected);
        let mut connection = bench.store.connection().await?;
        let found = &store::find_events(&mut connection, &id, None).await?[0];
        assert_eq!((found.finished_at, found.due_at), (Some(after(3)), None));
        assert_eq!((&found.row.error_class, &found.row.last_error), (&None, &None));
        let attempts = store::attempts_of(&mut connection, event).await?;
        assert_eq!(attempts.len(), 1, "its tries stay on record");
    }
    Ok(())
}

#[tokio::test]
async fn finishing_leaves_the_publish_of_a_dead_letter_alone() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    let mut tx = bench.store.begin("finish").await?;
    let dead = Intention { event, queue: Queue::Dead, generation: 1, tries: 3, due_at: noon() };
    store::schedule(&mut tx, &[dead]).await?;
    store::finish(&mut tx, &[Finished { event, status: EventStatus::Applied }], noon()).await?;
    tx.commit().await?;
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 1);
    Ok(())
}

#[tokio::test]
async fn tries_are_recorded_with_cause_and_time_in_their_order() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    let second = Failure {
        class: FailureClass::Transient,
        error: "504 \u{2014} \"no\" answer".to_owned(),
        request_id: None,
        ..failure(event, 2, false)
    };
    record(&bench, &[second]).await?;
    record(&bench, &[failure(event, 1, false)]).await?;
    let mut connection = bench.store.connection().await?;
    let attempts = store::attempts_of(&mut connection, event).await?;
    let numbers: Vec<_> = attempts.iter().map(|attempt| (attempt.generation, attempt.number)).collect();
    assert_eq!(numbers, [(1, 1), (1, 2)]);
    let first = &attempts[0];
    assert_eq!((first.started_at, first.failed_at), (after(-1), noon()));
    assert_eq!((first.error_class.as_str(), first.worker.as_str()), ("gone", "worker-1"));
    assert_eq!(first.request_id.as_deref(), Some("req_1"));
    assert_eq!(attempts[1].error, "504 \u{2014} \"no\" answer");
    Ok(())
}

#[tokio::test]
async fn the_same_try_is_recorded_once_and_the_first_record_stays() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    record(&bench, &[failure(event, 1, false)]).await?;
    record(&bench, &[Failure { error: "something else".to_owned(), ..failure(event, 1, false) }]).await?;
    let mut connection = bench.store.connection().await?;
    let attempts = store::attempts_of(&mut connection, event).await?;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].error, "the API does not know it");
    Ok(())
}

#[tokio::test]
async fn a_failure_that_uses_up_no_try_leaves_no_attempt_but_shows_on_the_event() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    let throttled = Failure { counts: false, class: FailureClass::Throttled, ..failure(event, 0, false) };
    record(&bench, &[throttled]).await?;
    let mut connection = bench.store.connection().await?;
    assert!(store::attempts_of(&mut connection, event).await?.is_empty());
    let found = &store::find_events(&mut connection, "evt_1", None).await?[0];
    assert_eq!((found.row.tries, found.row.status.as_str()), (0, "pending"));
    assert_eq!(found.row.error_class.as_deref(), Some("throttled"));
    Ok(())
}

#[tokio::test]
async fn a_dead_event_has_cause_and_time_and_is_finished() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    record(&bench, &[failure(event, 3, true)]).await?;
    let expected =
        EventStanding { event, status: EventStatus::Dead, generation: 1, tries: 3, queue: Queue::Work };
    assert_eq!(standing(&bench, "evt_1").await?, expected);
    let mut connection = bench.store.connection().await?;
    let found = &store::find_events(&mut connection, "evt_1", None).await?[0];
    assert_eq!((found.row.dead_at, found.finished_at), (Some(noon()), Some(noon())));
    assert_eq!(found.row.last_error.as_deref(), Some("the API does not know it"));
    Ok(())
}

#[tokio::test]
async fn many_failures_of_several_kinds_are_recorded_in_one_call() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_1", "evt_2", "evt_3"]).await?;
    let waits = Failure { counts: false, ..failure(tickets[2].event, 0, false) };
    record(&bench, &[failure(tickets[0].event, 1, false), failure(tickets[1].event, 3, true), waits]).await?;
    let mut standings = Vec::new();
    for id in ["evt_1", "evt_2", "evt_3"] {
        let found = standing(&bench, id).await?;
        standings.push((found.status, found.tries));
    }
    assert_eq!(standings, [(EventStatus::Pending, 1), (EventStatus::Dead, 3), (EventStatus::Pending, 0)]);
    assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_try_that_began_by_a_faster_clock_is_recorded_all_the_same() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    record(&bench, &[Failure { started_at: after(2), ..failure(event, 1, false) }]).await?;
    let mut connection = bench.store.connection().await?;
    let attempts = store::attempts_of(&mut connection, event).await?;
    assert_eq!(attempts[0].started_at, noon());
    Ok(())
}

#[tokio::test]
async fn a_locked_event_is_waited_for() -> Result<()> {
    let bench = Bench::new().await?;
    let row = bench.stored(&["evt_1"]).await?[0].event;
    let mut first = bench.store.begin("first").await?;
    store::lock_events(&mut first, &[event("evt_1")?.key()]).await?;
    let second = standing(&bench, "evt_1");
    let rest = async {
        bench.waits_for_a_lock(1).await?;
        store::finish(&mut first, &[Finished { event: row, status: EventStatus::Applied }], noon()).await?;
        first.commit().await?;
        anyhow::Ok(())
    };
    let (seen, ()) = tokio::try_join!(second, rest)?;
    assert_eq!(seen.status, EventStatus::Applied, "the second sees what the first wrote");
    Ok(())
}
