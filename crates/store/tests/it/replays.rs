//! New lives for dead letters.

use crate::bench::{Bench, after, event, failure, key, noon};
use anyhow::{Context, Result};
use domain::{EventStatus, FailureClass};
use store::{DeadFilter, EventStanding, Replay};

async fn dead(ids: &[&str]) -> Result<(Bench, Vec<i64>)> {
    let bench = Bench::new().await?;
    let rows = bench.died(&ids.iter().map(|id| event(id)).collect::<Result<Vec<_>>>()?).await?;
    Ok((bench, rows))
}

async fn start(bench: &Bench, filter: &DeadFilter, total: i64) -> Result<i64> {
    let mut connection = bench.store.connection().await?;
    Ok(store::start_replay(&mut connection, filter, total, after(60)).await?)
}

async fn chunk(bench: &Bench, replay: i64, filter: &DeadFilter, limit: i64) -> Result<u64> {
    let mut tx = bench.store.begin("replay").await?;
    let taken = store::replay_chunk(&mut tx, replay, filter, limit, after(61)).await?;
    tx.commit().await?;
    Ok(taken)
}

async fn found(bench: &Bench, replay: i64) -> Result<Replay> {
    let mut connection = bench.store.connection().await?;
    store::find_replay(&mut connection, replay).await?.context("the replay is recorded")
}

#[tokio::test]
async fn a_replayed_event_has_a_new_generation_fresh_tries_and_a_message_due_now() -> Result<()> {
    let (bench, rows) = dead(&["evt_1"]).await?;
    let filter = DeadFilter::default();
    let replay = start(&bench, &filter, 1).await?;
    assert_eq!(chunk(&bench, replay, &filter, 10).await?, 1);
    let mut tx = bench.store.begin("look").await?;
    let locked = store::lock_events(&mut tx, &[key("evt_1")?]).await?[&key("evt_1")?];
    assert_eq!(
        locked,
        EventStanding {
            event: rows[0],
            status: EventStatus::Pending,
            generation: 2,
            tries: 0,
            queue: store::Queue::Work
        }
    );
    let due = store::claim_due(&mut tx, after(61), after(90), 10).await?;
    assert_eq!((due.len(), due[0].generation, due[0].tries), (1, 2, 0));
    assert_eq!((due[0].queue, &due[0].failure), (store::Queue::Work, &None));
    let detail = &store::find_events(&mut tx, "evt_1", None).await?[0];
    assert_eq!((detail.row.dead_at, detail.finished_at), (None, None));
    assert_eq!(store::attempts_of(&mut tx, rows[0]).await?.len(), 1, "history is never edited");

    let again = store::Failure { generation: 2, ..failure(rows[0], 1, false) };
    store::record_failures(&mut tx, &[again], "worker-2", noon()).await?;
    let attempts = store::attempts_of(&mut tx, rows[0]).await?;
    let numbers: Vec<_> = attempts.iter().map(|attempt| (attempt.generation, attempt.number)).collect();
    assert_eq!(numbers, [(1, 3), (2, 1)]);
    Ok(())
}

#[tokio::test]
async fn a_replay_takes_the_place_of_a_dead_letter_that_was_not_published_yet() -> Result<()> {
    let (bench, rows) = dead(&["evt_1"]).await?;
    let unpublished = store::Intention {
        event: rows[0],
        queue: store::Queue::Dead,
        generation: 1,
        tries: 3,
        due_at: after(10),
    };
    let mut connection = bench.store.connection().await?;
    let late = store::schedule(&mut connection, &[unpublished]).await?;
    let filter = DeadFilter::default();
    let replay = start(&bench, &filter, 1).await?;
    chunk(&bench, replay, &filter, 10).await?;
    assert_eq!(store::confirm(&mut connection, &late).await?, 0);
    let due = store::claim_due(&mut connection, after(61), after(90), 10).await?;
    assert_eq!((due.len(), due[0].queue), (1, store::Queue::Work));
    Ok(())
}

#[tokio::test]
async fn progress_is_written_with_each_chunk_and_the_last_one_is_empty() -> Result<()> {
    let (bench, _) = dead(&["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"]).await?;
    let filter = DeadFilter { error_class: Some(FailureClass::Gone), ..DeadFilter::default() };
    let replay = start(&bench, &filter, 5).await?;
    let begun = found(&bench, replay).await?;
    assert_eq!((begun.total, begun.replayed, begun.status.as_str()), (5, 0, "running"));
    assert_eq!(begun.started_at, after(60));
    let selection: DeadFilter = serde_json::from_value(begun.selection)?;
    assert_eq!(selection.error_class, Some(FailureClass::Gone));
    for (taken, replayed) in [(2, 2), (2, 4), (1, 5), (0, 5)] {
        assert_eq!(chunk(&bench, replay, &filter, 2).await?, taken);
        assert_eq!(found(&bench, replay).await?.replayed, replayed);
    }
    let mut connection = bench.store.connection().await?;
    store::finish_replay(&mut connection, replay, after(70)).await?;
    let over = found(&bench, replay).await?;
    assert_eq!((over.status.as_str(), over.updated_at), ("finished", after(70)));
    assert!(!store::cancel_replay(&mut connection, replay, after(80)).await?);
    assert_eq!(found(&bench, replay).await?.status, "finished");
    Ok(())
}

#[tokio::test]
async fn a_chunk_that_is_not_committed_replays_nothing_and_counts_nothing() -> Result<()> {
    let (bench, _) = dead(&["evt_1"]).await?;
    let filter = DeadFilter::default();
    let replay = start(&bench, &filter, 1).await?;
    let mut tx = bench.store.begin("replay").await?;
    store::replay_chunk(&mut tx, replay, &filter, 10, after(61)).await?;
    drop(tx);
    assert_eq!(bench.number("SELECT count(*) FROM events WHERE status = 'dead'").await?, 1);
    assert_eq!(found(&bench, replay).await?.replayed, 0);
    Ok(())
}

#[tokio::test]
async fn a_cancelled_replay_takes_no_further_chunk() -> Result<()> {
    let (bench, _) = dead(&["evt_1", "evt_2"]).await?;
    let filter = DeadFilter::default();
    let replay = start(&bench, &filter, 2).await?;
    chunk(&bench, replay, &filter, 1).await?;
    let mut connection = bench.store.connection().await?;
    assert!(store::cancel_replay(&mut connection, replay, after(62)).await?);
    assert!(!store::cancel_replay(&mut connection, replay, after(63)).await?);
    assert_eq!(chunk(&bench, replay, &filter, 1).await?, 0);
    store::finish_replay(&mut connection, replay, after(64)).await?;
    let over = found(&bench, replay).await?;
    assert_eq!((over.status.as_str(), over.replayed), ("cancelled", 1));
    assert_eq!(bench.number("SELECT count(*) FROM events WHERE status = 'dead'").await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replays_at_once_give_each_letter_one_new_life() -> Result<()> {
    let ids: Vec<String> = (0..60).map(|n| format!("evt_{n}")).collect();
    let (bench, _) = dead(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let filter = DeadFilter::default();
    let (one, other) = (start(&bench, &filter, 60).await?, start(&bench, &filter, 60).await?);
    let all = async |replay| {
        let mut sum = 0;
        while sum < 60 {
            match chunk(&bench, replay, &filter, 7).await? {
                0 => break,
                taken => sum += taken,
            }
        }
        anyhow::Ok(sum)
    };
    let (first, second) = tokio::try_join!(all(one), all(other))?;
    assert_eq!(first + second, 60);
    assert_eq!(bench.number("SELECT count(*) FROM events WHERE generation = 2").await?, 60);
    Ok(())
}

#[tokio::test]
async fn an_unknown_replay_is_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    assert!(store::find_replay(&mut connection, 404).await?.is_none());
    assert!(!store::cancel_replay(&mut connection, 404, noon()).await?);
    Ok(())
}
