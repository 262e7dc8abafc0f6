//! Taking events in.

use crate::bench::{Bench, after, again, event, key, noon, tickets};
use anyhow::Result;
use domain::{EndpointName, EventStatus};
use futures_util::future::try_join_all;
use std::collections::BTreeSet;
use store::{Accepted, Intention, NewEvent, Queue};

async fn deliveries(bench: &Bench, id: &str) -> Result<i64> {
    bench.number(format!("SELECT deliveries::bigint FROM events WHERE event_id = '{id}'")).await
}

/// When the relay takes an event's message over, in seconds after noon.
async fn due_after(bench: &Bench, id: &str) -> Result<i64> {
    bench
        .number(format!(
            "SELECT extract(epoch FROM due_at)::bigint - {} FROM outbox \
             JOIN events ON events.id = outbox.event WHERE event_id = '{id}'",
            noon().timestamp()
        ))
        .await
}

#[tokio::test]
async fn a_new_event_is_stored_whole_with_its_outbox_row() -> Result<()> {
    let bench = Bench::new().await?;
    let new = event("evt_1")?;
    let tickets = tickets(&bench.accept(std::slice::from_ref(&new)).await?)?;
    let mut connection = bench.store.connection().await?;
    let found = store::find_events(&mut connection, "evt_1", None).await?;
    assert_eq!(found.len(), 1);
    let detail = &found[0];
    assert_eq!(detail.row.row, tickets[0].event);
    assert_eq!(detail.row.endpoint, "default");
    assert_eq!(detail.row.event_type, "session.status_idled");
    assert_eq!((detail.row.created_at, detail.row.received_at), (after(-5), noon()));
    assert_eq!(detail.row.status, EventStatus::Pending.as_str());
    assert_eq!((detail.row.deliveries, detail.row.tries, detail.row.generation), (1, 0, 1));
    assert_eq!(detail.row.resource_type.as_deref(), Some("session"));
    assert_eq!(detail.row.resource_id.as_deref(), Some("sesn_1"));
    assert_eq!(detail.row.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    assert_eq!((detail.dialect.as_str(), detail.source.as_str()), ("platform", "webhook"));
    assert_eq!(detail.organization_id.as_deref(), Some("org_1"));
    assert_eq!(detail.workspace_id.as_deref(), Some("wrkspc_1"));
    assert_eq!(detail.content_type.as_deref(), Some("application/json"));
    assert_eq!(detail.due_at, Some(after(10)));
    assert_eq!(detail.payload, new.payload);

    let due = store::claim_due(&mut connection, after(10), after(30), 10).await?;
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].ticket, due[0].queue), (tickets[0], Queue::Work));
    assert_eq!((&due[0].key, &due[0].payload), (&new.key(), &new.payload));
    assert_eq!((due[0].generation, due[0].tries), (1, 0));
    assert_eq!((&due[0].content_type, &due[0].traceparent), (&new.content_type, &new.traceparent));
    assert!(due[0].failure.is_none());
    Ok(())
}

#[tokio::test]
async fn the_same_id_at_another_endpoint_is_another_event() -> Result<()> {
    let bench = Bench::new().await?;
    let elsewhere = NewEvent { endpoint: EndpointName::new("billing")?, ..event("evt_1")? };
    let accepted = bench.accept(&[event("evt_1")?, elsewhere]).await?;
    assert_ne!(tickets(&accepted)?[0].event, tickets(&accepted)?[1].event);
    Ok(())
}

#[tokio::test]
async fn deliveries_are_counted_within_a_batch_and_across_batches_and_the_ticket_goes_once() -> Result<()> {
    let bench = Bench::new().await?;
    let first = [event("evt_1")?, event("evt_2")?, event("evt_1")?, event("evt_1")?];
    let accepted = bench.accept(&first).await?;
    assert!(matches!(
        accepted[..],
        [Accepted::New(_), Accepted::New(_), Accepted::Duplicate, Accepted::Duplicate]
    ));
    assert_eq!((deliveries(&bench, "evt_1").await?, deliveries(&bench, "evt_2").await?), (3, 1));

    let second = [event("evt_2")?, event("evt_3")?, event("evt_2")?];
    let accepted = bench.accept(&second).await?;
    assert!(matches!(accepted[..], [Accepted::Duplicate, Accepted::New(_), Accepted::Duplicate]));
    assert_eq!((deliveries(&bench, "evt_2").await?, deliveries(&bench, "evt_3").await?), (3, 1));
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 3);
    Ok(())
}

#[tokio::test]
async fn the_first_delivery_is_the_one_that_is_kept() -> Result<()> {
    let bench = Bench::new().await?;
    let first = event("evt_1")?;
    let second = NewEvent { payload: "{\"tampered\":true}".into(), ..again("evt_1", 7)? };
    bench.accept(&[first.clone(), second.clone()]).await?;
    bench.accept(&[second]).await?;
    let mut connection = bench.store.connection().await?;
    let found = store::find_events(&mut connection, "evt_1", Some("default")).await?;
    assert_eq!((&found[0].payload[..], found[0].row.received_at), (&first.payload[..], noon()));
    Ok(())
}

#[tokio::test]
async fn an_empty_batch_is_no_error() -> Result<()> {
    let bench = Bench::new().await?;
    assert!(bench.accept(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn nothing_of_a_batch_is_left_without_its_commit() -> Result<()> {
    let bench = Bench::new().await?;
    let mut tx = bench.store.begin("accept").await?;
    store::accept_batch(&mut tx, &[event("evt_1")?], after(10)).await?;
    drop(tx);
    // The rollback of the dropped transaction happens when its connection is next used.
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 0);
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 0);
    assert!(matches!(bench.accept(&[event("evt_1")?]).await?[..], [Accepted::New(_)]));
    Ok(())
}

#[tokio::test]
async fn of_two_transactions_with_the_same_keys_the_second_waits_and_finds_duplicates() -> Result<()> {
    let bench = Bench::new().await?;
    let forward = [event("evt_1")?, event("evt_2")?, event("evt_3")?];
    let backward = [event("evt_4")?, event("evt_3")?, event("evt_2")?, event("evt_1")?];
    let mut first = bench.store.begin("first").await?;
    store::accept_batch(&mut first, &forward, after(10)).await?;
    let second = bench.accept(&backward);
    let rest = async {
        bench.waits_for_a_lock(1).await?;
        first.commit().await?;
        anyhow::Ok(())
    };
    let (accepted, ()) = tokio::try_join!(second, rest)?;
    assert!(matches!(
        accepted[..],
        [Accepted::New(_), Accepted::Duplicate, Accepted::Duplicate, Accepted::Duplicate]
    ));
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 4);
    assert_eq!(bench.number("SELECT sum(deliveries)::bigint FROM events").await?, 7);
    Ok(())
}

#[tokio::test]
async fn when_the_first_of_two_transactions_gives_up_the_second_one_stores_the_events() -> Result<()> {
    let bench = Bench::new().await?;
    let mut first = bench.store.begin("first").await?;
    store::accept_batch(&mut first, &[event("evt_1")?], after(10)).await?;
    let events = [event("evt_1")?];
    let second = bench.accept(&events);
    let rest = async {
        bench.waits_for_a_lock(1).await?;
        drop(first);
        anyhow::Ok(())
    };
    let (accepted, ()) = tokio::try_join!(second, rest)?;
    assert!(matches!(accepted[..], [Accepted::New(_)]));
    assert_eq!(deliveries(&bench, "evt_1").await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_overlapping_batches_at_once_store_each_event_once_and_count_every_delivery() -> Result<()> {
    let bench = Bench::new().await?;
    // Ten batches of forty out of sixty ids, each in another order.
    let batches: Vec<Vec<NewEvent>> = (0..10)
        .map(|n| (0..40).map(|k| event(&format!("evt_{}", (n * 7 + k * (2 * n + 1)) % 60))).collect())
        .collect::<Result<_>>()?;
    let accepting = batches.iter().map(|batch| bench.accept(batch));
    let accepted = try_join_all(accepting).await?;
    let new = accepted.iter().flatten().filter(|accepted| matches!(accepted, Accepted::New(_))).count();
    let distinct: BTreeSet<_> = batches.iter().flatten().map(NewEvent::key).collect();
    assert_eq!(new, distinct.len());
    assert_eq!(usize::try_from(bench.number("SELECT count(*) FROM outbox").await?)?, distinct.len());
    assert_eq!(bench.number("SELECT sum(deliveries)::bigint FROM events").await?, 400);
    Ok(())
}

#[tokio::test]
async fn a_duplicate_kicks_an_unpublished_row_that_is_older_than_a_second() -> Result<()> {
    let bench = Bench::new().await?;
    bench.stored(&["evt_1"]).await?;
    bench.accept(&[again("evt_1", 1)?]).await?;
    assert_eq!(due_after(&bench, "evt_1").await?, 10, "one second is not older than a second");
    bench.accept(&[again("evt_1", 2)?]).await?;
    assert_eq!(due_after(&bench, "evt_1").await?, 2);
    bench.accept(&[again("evt_1", 3)?]).await?;
    assert_eq!(due_after(&bench, "evt_1").await?, 2, "what is due already is left alone");
    Ok(())
}

#[tokio::test]
async fn a_duplicate_leaves_a_retry_a_dead_letter_and_a_published_event_alone() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_retry", "evt_dead", "evt_published"]).await?;
    let planned = |event, queue, tries| Intention { event, queue, generation: 1, tries, due_at: after(60) };
    let mut connection = bench.store.connection().await?;
    store::schedule(
        &mut connection,
        &[planned(tickets[0].event, Queue::Work, 1), planned(tickets[1].event, Queue::Dead, 0)],
    )
    .await?;
    store::confirm(&mut connection, &tickets[2..]).await?;
    bench.accept(&[again("evt_retry", 30)?, again("evt_dead", 30)?, again("evt_published", 30)?]).await?;
    assert_eq!(due_after(&bench, "evt_retry").await?, 60);
    assert_eq!(due_after(&bench, "evt_dead").await?, 60);
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 2, "published once is enough");
    Ok(())
}

#[tokio::test]
async fn a_duplicate_does_not_shorten_a_wait_that_the_api_asked_for() -> Result<()> {
    let bench = Bench::new().await?;
    let ticket = bench.stored(&["evt_1"]).await?[0];
    // Throttled: waits without having used up a try.
    let waits = store::Failure {
        counts: false,
        class: domain::FailureClass::Throttled,
        ..crate::bench::failure(ticket.event, 0, false)
    };
    let mut tx = bench.store.begin("fail").await?;
    store::record_failures(&mut tx, &[waits], "worker-1", noon()).await?;
    let planned =
        Intention { event: ticket.event, queue: Queue::Work, generation: 1, tries: 0, due_at: after(600) };
    store::schedule(&mut tx, &[planned]).await?;
    tx.commit().await?;
    bench.accept(&[again("evt_1", 30)?]).await?;
    assert_eq!(due_after(&bench, "evt_1").await?, 600);
    assert_eq!(deliveries(&bench, "evt_1").await?, 2);
    Ok(())
}

#[tokio::test]
async fn an_event_without_a_resource_is_stored() -> Result<()> {
    let bench = Bench::new().await?;
    let mut unknown = event("evt_1")?;
    unknown.event.resource = None;
    unknown.content_type = None;
    unknown.traceparent = None;
    bench.accept(&[unknown]).await?;
    let mut connection = bench.store.connection().await?;
    let locked = store::lock_events(&mut connection, &[key("evt_1")?, key("evt_2")?]).await?;
    assert_eq!(locked.len(), 1);
    assert_eq!(locked[&key("evt_1")?].status, EventStatus::Pending);
    Ok(())
}
