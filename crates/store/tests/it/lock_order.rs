//! Transactions that touch the same rows touch them in the same order, so that none of them ends as the victim of a
//! deadlock. A victim heals by itself, but costs a second, and a delivery its answer.
//!
//! Each test has many rows and some rounds, and plans that take rows one by one through an index, as they are for large
//! tables: with statements that lock in the order of their arguments, a round then ends in a deadlock more often than
//! not.

use crate::bench::{Bench, after, again, event, failure, key, noon};
use anyhow::Result;
use domain::{EventKey, EventStatus};
use store::{Accepted, Finished, Intention, NewEvent, Queue, Ticket};

const ROUNDS: u32 = 12;
const ROWS: u32 = 300;

async fn bench_with_plans_of_large_tables() -> Result<Bench> {
    let bench = Bench::new().await?;
    for other in ["enable_hashjoin", "enable_mergejoin", "enable_seqscan", "enable_bitmapscan"] {
        bench.sql(format!("ALTER DATABASE {} SET {other} = off", bench.database.name())).await?;
    }
    Ok(bench)
}

/// Stores fresh events in two batches, so that the first half in the order of numbers is the second half in the order
/// of keys.
async fn stored(bench: &Bench, round: u32) -> Result<(Vec<EventKey>, Vec<Ticket>)> {
    let mut keys = Vec::new();
    let mut all = Vec::new();
    for half in ["z", "a"] {
        let events: Vec<NewEvent> =
            (0..ROWS / 2).map(|n| event(&format!("evt_{round}_{half}_{n:05}"))).collect::<Result<_>>()?;
        keys.extend(events.iter().map(NewEvent::key));
        all.extend(bench.scheduled(&events).await?);
    }
    Ok((keys, all))
}

async fn confirm(bench: &Bench, tickets: &[Ticket]) -> Result<()> {
    let mut connection = bench.store.connection().await?;
    store::confirm(&mut connection, tickets).await?;
    Ok(())
}

async fn finish(bench: &Bench, keys: &[EventKey]) -> Result<()> {
    let mut tx = bench.store.begin("apply").await?;
    let locked = store::lock_events(&mut tx, keys).await?;
    let finished: Vec<Finished> = locked
        .values()
        .map(|locked| Finished { event: locked.event, status: EventStatus::Applied })
        .collect();
    store::finish(&mut tx, &finished, noon()).await?;
    tx.commit().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_may_be_finished_while_their_publishes_are_confirmed() -> Result<()> {
    let bench = bench_with_plans_of_large_tables().await?;
    for round in 0..ROUNDS {
        let (keys, mut tickets) = stored(&bench, round).await?;
        tickets.reverse();
        let mut shuffled = tickets.clone();
        shuffled.sort_by_key(|ticket| ticket.event % 7);
        tokio::try_join!(finish(&bench, &keys), confirm(&bench, &tickets), confirm(&bench, &shuffled))?;
        assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 0);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_may_be_counted_while_their_events_are_applied() -> Result<()> {
    let bench = bench_with_plans_of_large_tables().await?;
    for round in 0..ROUNDS {
        let (keys, tickets) = stored(&bench, round).await?;
        let duplicates: Vec<NewEvent> =
            keys.iter().map(|key| again(key.id.as_str(), 5)).collect::<Result<_>>()?;
        let (accepted, (), ()) =
            tokio::try_join!(bench.accept(&duplicates), finish(&bench, &keys), confirm(&bench, &tickets))?;
        assert!(accepted.outcomes.iter().all(|accepted| *accepted == Accepted::Duplicate));
    }
    assert_eq!(bench.number("SELECT min(deliveries)::bigint FROM events").await?, 2);
    Ok(())
}

/// The relay claims, confirms and keeps bundles while their events are applied and delivered again.
#[tokio::test(flavor = "multi_thread")]
async fn first_publishes_may_be_settled_while_their_events_are_applied_and_counted() -> Result<()> {
    let bench = bench_with_plans_of_large_tables().await?;
    for round in 0..ROUNDS {
        let events: Vec<NewEvent> =
            (0..ROWS).map(|n| event(&format!("evt_{round}_{:05}", (n * 7) % ROWS))).collect::<Result<_>>()?;
        for commit in events.chunks(10) {
            bench.accept(commit).await?;
        }
        let keys: Vec<EventKey> = events.iter().map(NewEvent::key).collect();
        let duplicates: Vec<NewEvent> =
            keys.iter().map(|key| again(key.id.as_str(), 5)).collect::<Result<_>>()?;
        let backward: Vec<NewEvent> = duplicates.iter().rev().cloned().collect();
        let relaying = async || {
            let mut connection = bench.store.connection().await?;
            let claimed = store::claim_bundles(&mut connection, after(10), after(30), 16).await?;
            let mut bundles: Vec<i64> = claimed.iter().map(|bundle| bundle.id).collect();
            if let Some(kept) = bundles.pop() {
                store::keep_in_bundle(&mut connection, kept, &[], after(10)).await?;
            }
            bundles.reverse();
            store::confirm_bundles(&mut connection, &bundles).await?;
            anyhow::Ok(())
        };
        tokio::try_join!(
            bench.accept(&duplicates),
            bench.accept(&backward),
            finish(&bench, &keys),
            relaying(),
            relaying(),
        )?;
        bench.sql("DELETE FROM bundles").await?;
    }
    assert_eq!(bench.number("SELECT min(deliveries)::bigint FROM events").await?, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_may_be_scheduled_while_older_publishes_are_confirmed() -> Result<()> {
    let bench = bench_with_plans_of_large_tables().await?;
    for round in 0..ROUNDS {
        let (_, mut tickets) = stored(&bench, round).await?;
        let planned: Vec<Intention> = tickets
            .iter()
            .map(|ticket| Intention {
                event: ticket.event,
                queue: Queue::Work,
                generation: 1,
                tries: 1,
                due_at: after(70),
            })
            .collect();
        tickets.reverse();
        let failures: Vec<_> = tickets.iter().map(|ticket| failure(ticket.event, 1, false)).collect();
        let failing = async {
            let mut tx = bench.store.begin("fail").await?;
            store::schedule(&mut tx, &planned).await?;
            store::record_failures(&mut tx, &failures, "worker-1", noon()).await?;
            tx.commit().await?;
            anyhow::Ok(())
        };
        tokio::try_join!(failing, confirm(&bench, &tickets))?;
    }
    Ok(())
}

#[tokio::test]
async fn locked_events_are_those_that_are_stored() -> Result<()> {
    let bench = Bench::new().await?;
    bench.stored(&["evt_1", "evt_2"]).await?;
    let mut tx = bench.store.begin("apply").await?;
    let locked = store::lock_events(&mut tx, &[key("evt_2")?, key("evt_9")?, key("evt_2")?]).await?;
    assert_eq!(locked.keys().collect::<Vec<_>>(), [&key("evt_2")?]);
    Ok(())
}
