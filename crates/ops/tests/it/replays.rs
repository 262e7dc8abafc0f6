//! Replays from beginning to end, interrupted and cancelled.

use crate::bench::{Bench, after, noon, platform_event};
use anyhow::Result;
use domain::FailureClass;
use ops::dead::{Progress, ReplayError, Selection, replay, resume};
use std::ops::ControlFlow;
use store::{DeadFilter, Failure, NewEvent};

/// So many dead letters, one per session and second before noon.
async fn dead(count: i64) -> Result<Bench> {
    let bench = Bench::new().await?;
    let events = (0..count)
        .map(|n| platform_event(&format!("whe_{n}"), "session.running", "sesn_1", -n))
        .collect::<Result<Vec<NewEvent>>>()?;
    bench.accept(&events).await?;
    let mut tx = bench.store.begin("die").await?;
    let keys: Vec<_> = events.iter().map(NewEvent::key).collect();
    let locked = store::lock_events(&mut tx, &keys).await?;
    let failures: Vec<Failure> = locked
        .values()
        .map(|locked| Failure {
            event: locked.event,
            generation: 1,
            tries: 3,
            counts: true,
            dead: true,
            started_at: after(-60),
            class: FailureClass::Transient,
            error: "no answer".to_owned(),
            request_id: None,
        })
        .collect();
    store::record_failures(&mut tx, &failures, "worker-1", after(-30)).await?;
    tx.commit().await?;
    Ok(bench)
}

fn all() -> Selection {
    Selection { filter: DeadFilter::default(), rate: None }
}

fn proceed(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_match_get_a_new_life_and_progress_is_reported() -> Result<()> {
    let bench = dead(1_100).await?;
    let mut reports = Vec::new();
    let report = |progress: Progress| {
        reports.push((progress.replayed, progress.total));
        ControlFlow::Continue(())
    };
    let done = replay(&bench.store, &*bench.clock, all(), report).await?;
    assert_eq!((done.total, done.replayed, done.status.as_str()), (1_100, 1_100, "finished"));
    assert_eq!(reports.first(), Some(&(0, 1_100)));
    assert_eq!(reports.last(), Some(&(1_100, 1_100)));
    assert!(reports.len() > 3, "in chunks: {reports:?}");
    assert_eq!(bench.number("SELECT count(*) FROM events WHERE generation = 2 AND tries = 0").await?, 1_100);
    bench.until_outbox(1_100).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dies_again_while_a_replay_runs_is_not_taken_twice() -> Result<()> {
    let bench = dead(3).await?;
    bench
        .texts("UPDATE events SET dead_at = '2026-03-15T12:00:00Z' WHERE event_id = 'whe_2' RETURNING ''")
        .await?;
    let done = replay(&bench.store, &*bench.clock, all(), proceed).await?;
    assert_eq!((done.total, done.replayed), (2, 2));
    assert_eq!(bench.detail("whe_2").await?.row.status, "dead");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_replay_is_taken_up_where_it_stopped() -> Result<()> {
    let bench = dead(20).await?;
    // Twenty a second are five in a quarter of a second.
    let slow = Selection { rate: Some(20), ..all() };
    let stop_at_five = |progress: Progress| {
        if progress.replayed >= 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = replay(&bench.store, &*bench.clock, slow, stop_at_five).await?;
    assert_eq!((stopped.replayed, stopped.status.as_str()), (5, "running"));
    let done = resume(&bench.store, &*bench.clock, stopped.id, None, proceed).await?;
    assert_eq!((done.total, done.replayed, done.status.as_str()), (20, 20, "finished"));
    assert_eq!(bench.number("SELECT count(*) FROM events WHERE generation = 2").await?, 20);
    let again = resume(&bench.store, &*bench.clock, stopped.id, None, proceed).await;
    assert!(matches!(again, Err(ReplayError::Over { .. })), "{again:?}");
    let unknown = resume(&bench.store, &*bench.clock, 404, None, proceed).await;
    assert!(matches!(unknown, Err(ReplayError::Unknown(404))), "{unknown:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_replay_takes_no_more_and_stays_cancelled() -> Result<()> {
    let bench = dead(20).await?;
    let slow = Selection { rate: Some(20), ..all() };
    let mut connection = bench.store.connection().await?;
    let stop_at_five = |progress: Progress| {
        if progress.replayed >= 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = replay(&bench.store, &*bench.clock, slow, stop_at_five).await?;
    assert!(store::cancel_replay(&mut connection, stopped.id, noon()).await?);
    let again = resume(&bench.store, &*bench.clock, stopped.id, None, proceed).await;
    assert!(matches!(again, Err(ReplayError::Over { .. })), "{again:?}");
    assert_eq!(bench.ledger().await?.dead, 15);
    Ok(())
}

/// A duplicate delivery that is being counted locks its event for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_somebody_holds_for_a_moment_is_not_forgotten() -> Result<()> {
    let bench = dead(3).await?;
    let mut holder = Some(bench.store.begin("hold").await?);
    let held = platform_event("whe_1", "session.running", "sesn_1", -1)?.key();
    if let Some(tx) = &mut holder {
        store::lock_events(tx, &[held]).await?;
    }
    let mut rounds = 0;
    let report = |_: Progress| {
        rounds += 1;
        // Let go in the third round; a dropped transaction ends a moment later.
        if rounds == 3 {
            drop(holder.take());
        }
        ControlFlow::Continue(())
    };
    let done = replay(&bench.store, &*bench.clock, all(), report).await?;
    assert_eq!((done.total, done.replayed, done.status.as_str()), (3, 3, "finished"));
    Ok(())
}
