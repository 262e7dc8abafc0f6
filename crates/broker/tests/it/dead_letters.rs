//! Passes over the dead letters.

use crate::bench::Bench;
use anyhow::{Context, Result, bail};
use broker::{Broker, ConsumerConfig, DeadLetter, Inspector, Queue, Sweep, SweepCounts, Verdict};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

fn id_of(letter: &DeadLetter) -> Result<String> {
    Ok(letter.message.as_ref().map_err(Clone::clone)?.event_id.clone())
}

/// Sweeps to the end and counts how often each event was seen.
async fn sweep(
    inspector: &Inspector,
    prefetch: u16,
    verdict: impl Fn(&DeadLetter) -> Verdict,
) -> Result<(BTreeMap<String, u32>, SweepCounts)> {
    let mut seen = BTreeMap::new();
    let mut sweep = inspector.sweep_dead(u32::MAX, prefetch).await?;
    while let Some(batch) = sweep.next_batch().await? {
        for letter in &batch {
            *seen.entry(id_of(letter)?).or_insert(0) += 1;
        }
        let verdicts: Vec<Verdict> = batch.iter().map(&verdict).collect();
        sweep.settle(batch.into_iter().zip(verdicts)).await?;
    }
    Ok((seen, sweep.finish().await?))
}

fn keep(_: &DeadLetter) -> Verdict {
    Verdict::Keep
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_sees_every_letter_once_although_its_prefetch_is_smaller_than_the_queue() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Dead, 50).await?;
    let inspector = bench.inspector().await?;
    let odd = |letter: &DeadLetter| {
        let odd = id_of(letter).is_ok_and(|id| id.ends_with(['1', '3', '5', '7', '9']));
        if odd { Verdict::Remove } else { Verdict::Keep }
    };
    let (seen, counts) = sweep(&inspector, 7, odd).await?;
    assert_eq!(seen.len(), 50);
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    assert_eq!(counts, SweepCounts { seen: 50, kept: 25, removed: 25 });
    bench.settles_at(Queue::Dead, 25).await?;

    // And again: looking does not wear the letters out.
    let (seen, counts) = sweep(&inspector, 7, keep).await?;
    assert_eq!((seen.len(), counts.kept), (25, 25));
    bench.settles_at(Queue::Dead, 25).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_of_an_empty_queue_ends_at_once() -> Result<()> {
    let bench = Bench::new().await?;
    let inspector = bench.inspector().await?;
    // On a task of its own, as a periodic duty would run it.
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { sweep(&inspector, 10, keep).await });
    let (seen, counts) = tasks.join_next().await.context("no task")???;
    assert!(seen.is_empty());
    assert_eq!(counts, SweepCounts::default());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_stops_at_its_maximum_and_gives_back_the_rest() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Dead, 20).await?;
    let inspector = bench.inspector().await?;
    let mut sweep = inspector.sweep_dead(5, 10).await?;
    let Some(batch) = sweep.next_batch().await? else { bail!("no letters") };
    assert_eq!(batch.len(), 5);
    sweep.settle(batch.into_iter().map(|letter| (letter, Verdict::Remove))).await?;
    assert!(sweep.next_batch().await?.is_none());
    sweep.finish().await?;
    bench.settles_at(Queue::Dead, 15).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_of_a_letter_still_says_why_it_died() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 1).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 1), 1).await?;
    consumer.next().await?.acker.reject_to_dead().await?;
    bench.settles_at(Queue::Dead, 1).await?;
    let inspector = bench.inspector().await?;
    sweep(&inspector, 10, keep).await?;
    bench.settles_at(Queue::Dead, 1).await?;
    let mut second = inspector.sweep_dead(1, 1).await?;
    let Some(batch) = second.next_batch().await? else { bail!("no letters") };
    let deaths = &batch[0].hints.deaths;
    assert_eq!(deaths.len(), 1, "{deaths:?}");
    assert_eq!(deaths[0].queue, bench.queues.work());
    assert_eq!(deaths[0].reason, "rejected");
    Ok(())
}

/// A sweep that has settled some batches of ten and holds another one undecided.
async fn sweep_half_way(inspector: &Inspector) -> Result<(Sweep, Vec<DeadLetter>)> {
    let mut sweep = inspector.sweep_dead(u32::MAX, 10).await?;
    for _ in 0..3 {
        let Some(batch) = sweep.next_batch().await? else { bail!("too few letters") };
        sweep.settle(batch.into_iter().map(|letter| (letter, Verdict::Keep))).await?;
    }
    let Some(held) = sweep.next_batch().await? else { bail!("too few letters") };
    Ok((sweep, held))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_is_dropped_half_way_loses_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Dead, 100).await?;
    let inspector = bench.inspector().await?;
    let half_way = sweep_half_way(&inspector).await?;
    drop(half_way);
    bench.settles_at(Queue::Dead, 100).await?;
    let (seen, _) = sweep(&inspector, 25, keep).await?;
    assert_eq!(seen.len(), 100);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_whose_connection_is_cut_half_way_loses_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Dead, 100).await?;
    let through_proxy: &Broker = &bench.broker;
    let doomed = Inspector::connect(through_proxy).await?;
    let (mut half_way, held) = sweep_half_way(&doomed).await?;
    // The copies may arrive, but no confirm comes back, so no original may be acknowledged.
    bench.proxy.stall();
    let settling = half_way.settle(held.into_iter().map(|letter| (letter, Verdict::Keep)));
    let cutting = async { bench.proxy.cut() };
    let (settled, ()) = tokio::join!(settling, cutting);
    settled.unwrap_err();

    let inspector = bench.inspector().await?;
    bench.settles_at(Queue::Dead, 100).await?;
    let (seen, _) = sweep(&inspector, 25, keep).await?;
    assert_eq!(seen.len(), 100, "every letter is still there");
    Ok(())
}
