//! Claiming, confirming and replacing what is to be published.

use crate::bench::{Bench, after, failure, noon};
use anyhow::Result;
use domain::FailureClass;
use futures_util::future::try_join_all;
use std::collections::BTreeSet;
use store::{Due, Intention, Queue, Ticket};

fn work(event: i64, seconds: i64) -> Intention {
    Intention { event, queue: Queue::Work, generation: 1, tries: 0, due_at: after(seconds) }
}

async fn claim(bench: &Bench, seconds: i64, limit: i64) -> Result<Vec<Due>> {
    let mut connection = bench.store.connection().await?;
    Ok(store::claim_due(&mut connection, after(seconds), after(seconds + 20), limit).await?)
}

fn events(due: &[Due]) -> BTreeSet<i64> {
    due.iter().map(|due| due.ticket.event).collect()
}

#[tokio::test]
async fn a_row_is_claimed_from_its_due_time_on_and_not_before() -> Result<()> {
    let bench = Bench::new().await?;
    bench.stored(&["evt_1"]).await?;
    assert!(claim(&bench, 9, 10).await?.is_empty());
    assert_eq!(claim(&bench, 10, 10).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_claimed_row_is_nobody_elses_until_its_lease_ends_and_due_again_then() -> Result<()> {
    let bench = Bench::new().await?;
    bench.stored(&["evt_1"]).await?;
    let first = claim(&bench, 10, 10).await?;
    assert!(claim(&bench, 29, 10).await?.is_empty());
    let second = claim(&bench, 30, 10).await?;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].ticket, first[0].ticket, "it is still the same intention");
    Ok(())
}

#[tokio::test]
async fn what_has_been_due_longest_is_claimed_first() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_1", "evt_2", "evt_3", "evt_4"]).await?;
    let planned: Vec<Intention> =
        tickets.iter().zip([5, 1, 7, 3]).map(|(ticket, seconds)| work(ticket.event, seconds)).collect();
    let mut connection = bench.store.connection().await?;
    store::schedule(&mut connection, &planned).await?;
    let expected = |wanted: [usize; 2]| wanted.map(|n| tickets[n].event).into_iter().collect();
    assert_eq!(events(&claim(&bench, 8, 2).await?), expected([1, 3]));
    assert_eq!(events(&claim(&bench, 8, 2).await?), expected([0, 2]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn claimers_never_share_a_row_and_leave_none_behind() -> Result<()> {
    let bench = Bench::new().await?;
    let ids: Vec<String> = (0..200).map(|n| format!("evt_{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    bench.stored(&ids).await?;
    let claimers = (0..8).map(async |_| {
        let mut mine = Vec::new();
        loop {
            let due = claim(&bench, 10, 7).await?;
            if due.is_empty() {
                return anyhow::Ok(mine);
            }
            mine.extend(due);
        }
    });
    let claimed: Vec<Due> = try_join_all(claimers).await?.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 200);
    assert_eq!(events(&claimed).len(), 200);
    Ok(())
}

#[tokio::test]
async fn rows_that_another_transaction_is_claiming_are_passed_over_without_waiting() -> Result<()> {
    let bench = Bench::new().await?;
    bench.stored(&["evt_1", "evt_2"]).await?;
    let mut tx = bench.store.begin("claim").await?;
    let first = store::claim_due(&mut tx, after(10), after(30), 1).await?;
    let second = claim(&bench, 10, 10).await?;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first[0].ticket.event, second[0].ticket.event);
    Ok(())
}

#[tokio::test]
async fn a_confirmed_row_is_gone() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_1", "evt_2"]).await?;
    let mut connection = bench.store.connection().await?;
    assert_eq!(store::confirm(&mut connection, &tickets[..1]).await?, 1);
    assert_eq!(store::confirm(&mut connection, &tickets[..1]).await?, 0, "a second confirm finds nothing");
    assert_eq!(events(&claim(&bench, 10, 10).await?), BTreeSet::from([tickets[1].event]));
    Ok(())
}

#[tokio::test]
async fn a_late_confirm_of_a_replaced_intention_deletes_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let late = bench.stored(&["evt_1"]).await?[0];
    let mut connection = bench.store.connection().await?;
    let newer = store::schedule(&mut connection, &[work(late.event, 60)]).await?[0];
    assert_eq!(newer.event, late.event);
    assert_ne!(newer.number, late.number);
    assert_eq!(store::confirm(&mut connection, &[late]).await?, 0);
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 1);
    assert_eq!(store::confirm(&mut connection, &[newer]).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_ticket_of_another_event_confirms_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_1", "evt_2"]).await?;
    let crossed = Ticket { event: tickets[0].event, number: tickets[1].number };
    let mut connection = bench.store.connection().await?;
    assert_eq!(store::confirm(&mut connection, &[crossed]).await?, 0);
    Ok(())
}

#[tokio::test]
async fn the_newest_intention_of_an_event_replaces_the_one_before_in_every_part() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    let newer = Intention { event, queue: Queue::Dead, generation: 4, tries: 3, due_at: after(2) };
    let mut tx = bench.store.begin("die").await?;
    let ticket = store::schedule(&mut tx, &[newer]).await?[0];
    store::record_failures(&mut tx, &[failure(event, 3, true)], "worker-1", noon()).await?;
    tx.commit().await?;
    let due = claim(&bench, 2, 10).await?;
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].ticket, due[0].queue, due[0].generation, due[0].tries), (ticket, Queue::Dead, 4, 3));
    let cause = (FailureClass::Gone.as_str().to_owned(), "the API does not know it".to_owned());
    assert_eq!(due[0].failure, Some(cause));
    Ok(())
}

#[tokio::test]
async fn tickets_are_those_of_the_intentions_whatever_their_order() -> Result<()> {
    let bench = Bench::new().await?;
    let mut rows: Vec<i64> =
        bench.stored(&["evt_1", "evt_2", "evt_3"]).await?.iter().map(|ticket| ticket.event).collect();
    rows.reverse();
    let planned: Vec<Intention> = rows.iter().map(|row| work(*row, 1)).collect();
    let mut connection = bench.store.connection().await?;
    let tickets = store::schedule(&mut connection, &planned).await?;
    assert_eq!(tickets.iter().map(|ticket| ticket.event).collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(store::confirm(&mut connection, &tickets).await?, 3);
    Ok(())
}

#[tokio::test]
async fn what_is_unscheduled_is_never_claimed() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_1", "evt_2"]).await?;
    let mut connection = bench.store.connection().await?;
    store::unschedule(&mut connection, &[tickets[0].event]).await?;
    assert_eq!(events(&claim(&bench, 10, 10).await?), BTreeSet::from([tickets[1].event]));
    Ok(())
}
