//! Taking events in.

use crate::bench::{Bench, after, again, event, key, noon, numbers};
use anyhow::Result;
use domain::{EndpointName, EventStatus};
use futures_util::future::try_join_all;
use std::collections::BTreeSet;
use store::{Accepted, NewEvent};

async fn deliveries(bench: &Bench, id: &str) -> Result<i64> {
    bench.number(format!("SELECT deliveries::bigint FROM events WHERE event_id = '{id}'")).await
}

/// The sender's ids of the events of each bundle.
async fn bundles(bench: &Bench) -> Result<Vec<String>> {
    bench
        .texts(
            "SELECT string_agg(event_id, ' ' ORDER BY event_id) FROM bundles \
             JOIN events ON events.id = ANY(bundles.events) GROUP BY bundles.id ORDER BY bundles.id",
        )
        .await
}

#[tokio::test]
async fn a_new_event_is_stored_whole_with_its_first_publish() -> Result<()> {
    let bench = Bench::new().await?;
    let new = event("evt_1")?;
    let accepted = bench.accept(std::slice::from_ref(&new)).await?;
    let number = numbers(&accepted)?[0];
    let mut connection = bench.store.connection().await?;
    let found = store::find_events(&mut connection, "evt_1", None).await?;
    assert_eq!(found.len(), 1);
    let detail = &found[0];
    assert_eq!(detail.row.row, number);
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

    let due = store::claim_bundles(&mut connection, after(10), after(30), 10).await?;
    assert_eq!((due.len(), due[0].events.len(), Some(due[0].id)), (1, 1, accepted.bundle));
    let due = &due[0].events[0];
    assert_eq!((due.event, due.received_at), (number, noon()));
    assert_eq!((&due.key, &due.payload), (&new.key(), &new.payload));
    assert_eq!((&due.content_type, &due.traceparent), (&new.content_type, &new.traceparent));
    Ok(())
}

#[tokio::test]
async fn the_same_id_at_another_endpoint_is_another_event() -> Result<()> {
    let bench = Bench::new().await?;
    let elsewhere = NewEvent { endpoint: EndpointName::new("billing")?, ..event("evt_1")? };
    let accepted = bench.accept(&[event("evt_1")?, elsewhere]).await?;
    let numbers = numbers(&accepted)?;
    assert_ne!(numbers[0], numbers[1]);
    Ok(())
}

#[tokio::test]
async fn deliveries_are_counted_within_a_batch_and_across_batches_and_each_bundle_has_what_is_new()
-> Result<()> {
    let bench = Bench::new().await?;
    let first = [event("evt_1")?, event("evt_2")?, event("evt_1")?, event("evt_1")?];
    let accepted = bench.accept(&first).await?;
    assert!(matches!(
        accepted.outcomes[..],
        [Accepted::New(_), Accepted::New(_), Accepted::Duplicate, Accepted::Duplicate]
    ));
    assert_eq!((deliveries(&bench, "evt_1").await?, deliveries(&bench, "evt_2").await?), (3, 1));

    let second = [event("evt_2")?, event("evt_3")?, event("evt_2")?];
    let accepted = bench.accept(&second).await?;
    assert!(matches!(accepted.outcomes[..], [Accepted::Duplicate, Accepted::New(_), Accepted::Duplicate]));
    assert_eq!((deliveries(&bench, "evt_2").await?, deliveries(&bench, "evt_3").await?), (3, 1));
    assert_eq!(bundles(&bench).await?, ["evt_1 evt_2", "evt_3"]);
    assert_eq!(accepted.bundle, Some(bench.number("SELECT max(id) FROM bundles").await?));

    let accepted = bench.accept(&[event("evt_3")?, event("evt_1")?]).await?;
    assert_eq!((&accepted.outcomes[..], accepted.bundle), (&[Accepted::Duplicate; 2][..], None));
    assert_eq!(bundles(&bench).await?.len(), 2, "nothing is new, and nothing is to be published");
    Ok(())
}

#[tokio::test]
async fn an_event_whose_caller_decides_it_at_once_is_not_scheduled() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let accepted = store::accept_batch(&mut connection, &[event("evt_1")?], None).await?;
    assert!(matches!(accepted.outcomes[..], [Accepted::New(_)]));
    assert_eq!(accepted.bundle, None);
    assert_eq!(bench.number("SELECT (SELECT count(*) FROM bundles) + count(*) FROM outbox").await?, 0);
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
    let accepted = bench.accept(&[]).await?;
    assert!(accepted.outcomes.is_empty() && accepted.bundle.is_none());
    assert_eq!(bench.number("SELECT count(*) FROM bundles").await?, 0);
    Ok(())
}

#[tokio::test]
async fn nothing_of_a_batch_is_left_without_its_commit() -> Result<()> {
    let bench = Bench::new().await?;
    let mut tx = bench.store.begin("accept").await?;
    store::accept_batch(&mut tx, &[event("evt_1")?], Some(after(10))).await?;
    drop(tx);
    // The rollback of the dropped transaction happens when its connection is next used.
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 0);
    assert_eq!(bench.number("SELECT count(*) FROM bundles").await?, 0);
    assert!(matches!(bench.accept(&[event("evt_1")?]).await?.outcomes[..], [Accepted::New(_)]));
    Ok(())
}

#[tokio::test]
async fn a_batch_that_is_refused_leaves_nothing_although_no_transaction_is_around_it() -> Result<()> {
    let bench = Bench::new().await?;
    let refused = NewEvent { traceparent: Some("nul \0".to_owned()), ..event("evt_2")? };
    let error = bench.accept(&[event("evt_1")?, refused]).await.unwrap_err();
    let error = error.downcast::<store::Error>()?;
    assert!(error.is_about_the_data(), "{error:?}");
    assert_eq!(bench.number("SELECT (SELECT count(*) FROM bundles) + count(*) FROM events").await?, 0);
    Ok(())
}

#[tokio::test]
async fn of_two_transactions_with_the_same_keys_the_second_waits_and_finds_duplicates() -> Result<()> {
    let bench = Bench::new().await?;
    let forward = [event("evt_1")?, event("evt_2")?, event("evt_3")?];
    let backward = [event("evt_4")?, event("evt_3")?, event("evt_2")?, event("evt_1")?];
    let mut first = bench.store.begin("first").await?;
    store::accept_batch(&mut first, &forward, Some(after(10))).await?;
    let second = bench.accept(&backward);
    let rest = async {
        bench.waits_for_a_lock(1).await?;
        first.commit().await?;
        anyhow::Ok(())
    };
    let (accepted, ()) = tokio::try_join!(second, rest)?;
    assert!(matches!(
        accepted.outcomes[..],
        [Accepted::New(_), Accepted::Duplicate, Accepted::Duplicate, Accepted::Duplicate]
    ));
    assert_eq!(bundles(&bench).await?, ["evt_1 evt_2 evt_3", "evt_4"]);
    assert_eq!(bench.number("SELECT sum(deliveries)::bigint FROM events").await?, 7);
    Ok(())
}

#[tokio::test]
async fn when_the_first_of_two_transactions_gives_up_the_second_one_stores_the_events() -> Result<()> {
    let bench = Bench::new().await?;
    let mut first = bench.store.begin("first").await?;
    store::accept_batch(&mut first, &[event("evt_1")?], Some(after(10))).await?;
    let events = [event("evt_1")?];
    let second = bench.accept(&events);
    let rest = async {
        bench.waits_for_a_lock(1).await?;
        drop(first);
        anyhow::Ok(())
    };
    let (accepted, ()) = tokio::try_join!(second, rest)?;
    assert!(matches!(accepted.outcomes[..], [Accepted::New(_)]));
    assert_eq!(deliveries(&bench, "evt_1").await?, 1);
    assert_eq!(bundles(&bench).await?, ["evt_1"]);
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
    let outcomes = accepted.iter().flat_map(|accepted| &accepted.outcomes);
    let new = outcomes.filter(|outcome| matches!(outcome, Accepted::New(_))).count();
    let distinct: BTreeSet<_> = batches.iter().flatten().map(NewEvent::key).collect();
    assert_eq!(new, distinct.len());
    let bundled = "FROM (SELECT unnest(events) AS event FROM bundles) AS bundled";
    for count in ["count(event)", "count(DISTINCT event)"] {
        let count = bench.number(format!("SELECT {count} {bundled}")).await?;
        assert_eq!(usize::try_from(count)?, distinct.len());
    }
    assert_eq!(bench.number("SELECT sum(deliveries)::bigint FROM events").await?, 400);
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
