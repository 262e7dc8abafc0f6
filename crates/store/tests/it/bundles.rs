//! First publishes: claiming, confirming, and what a crash leaves of them.

use crate::bench::{Bench, after, event, failure, key, noon, numbers};
use anyhow::Result;
use domain::EventStatus;
use futures_util::future::try_join_all;
use std::collections::BTreeSet;
use store::{DeadFilter, DueBundle, Failure, Finished};

/// Stores each of these events in a bundle of its own. Returns the numbers of the bundles.
async fn bundled(bench: &Bench, ids: &[&str]) -> Result<Vec<i64>> {
    let mut bundles = Vec::new();
    for id in ids {
        bundles.extend(bench.accept(&[event(id)?]).await?.bundle);
    }
    Ok(bundles)
}

async fn claim(bench: &Bench, seconds: i64, limit: i64) -> Result<Vec<DueBundle>> {
    let mut connection = bench.store.connection().await?;
    Ok(store::claim_bundles(&mut connection, after(seconds), after(seconds + 20), limit).await?)
}

fn ids(bundles: &[DueBundle]) -> Vec<i64> {
    bundles.iter().map(|bundle| bundle.id).collect()
}

fn events(bundle: &DueBundle) -> Vec<&str> {
    bundle.events.iter().map(|due| due.key.id.as_str()).collect()
}

#[tokio::test]
async fn a_bundle_is_claimed_from_its_due_time_on_until_its_lease_ends() -> Result<()> {
    let bench = Bench::new().await?;
    let bundle = bundled(&bench, &["evt_1"]).await?;
    assert_eq!(ids(&claim(&bench, 9, 10).await?), [0; 0]);
    assert_eq!(ids(&claim(&bench, 10, 10).await?), bundle);
    assert_eq!(ids(&claim(&bench, 29, 10).await?), [0; 0], "it is somebody's");
    assert_eq!(ids(&claim(&bench, 30, 10).await?), bundle, "whoever had it is gone");
    Ok(())
}

#[tokio::test]
async fn what_has_been_due_longest_is_claimed_first() -> Result<()> {
    let bench = Bench::new().await?;
    let bundles = bundled(&bench, &["evt_1", "evt_2", "evt_3"]).await?;
    for (bundle, seconds) in bundles.iter().zip([5, 7, 3]) {
        let at = after(seconds).to_rfc3339();
        bench.sql(format!("UPDATE bundles SET due_at = '{at}' WHERE id = {bundle}")).await?;
    }
    assert_eq!(ids(&claim(&bench, 8, 2).await?), [bundles[0], bundles[2]]);
    assert_eq!(ids(&claim(&bench, 8, 2).await?), [bundles[1]]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn claimers_never_share_a_bundle_and_leave_none_behind() -> Result<()> {
    let bench = Bench::new().await?;
    for n in 0..60 {
        bench.accept(&[event(&format!("evt_{n}a"))?, event(&format!("evt_{n}b"))?]).await?;
    }
    let claimers = (0..6).map(async |_| {
        let mut mine = Vec::new();
        loop {
            let due = claim(&bench, 10, 7).await?;
            if due.is_empty() {
                return anyhow::Ok(mine);
            }
            mine.extend(due);
        }
    });
    let claimed: Vec<DueBundle> = try_join_all(claimers).await?.into_iter().flatten().collect();
    let distinct: BTreeSet<&str> = claimed.iter().flat_map(events).collect();
    assert_eq!((claimed.len(), distinct.len()), (60, 120));
    Ok(())
}

#[tokio::test]
async fn bundles_that_another_transaction_is_claiming_are_passed_over_without_waiting() -> Result<()> {
    let bench = Bench::new().await?;
    let bundles = bundled(&bench, &["evt_1", "evt_2"]).await?;
    let mut tx = bench.store.begin("claim").await?;
    let first = ids(&store::claim_bundles(&mut tx, after(10), after(30), 1).await?);
    let second = ids(&claim(&bench, 10, 10).await?);
    assert_eq!([first, second].concat().into_iter().collect::<BTreeSet<_>>(), bundles.into_iter().collect());
    Ok(())
}

/// A worker had the message, although its confirm was lost: whatever follows is not a first publish.
#[tokio::test]
async fn only_what_no_worker_has_touched_is_published_for_the_first_time() -> Result<()> {
    let bench = Bench::new().await?;
    let all = ["evt_fresh", "evt_applied", "evt_tried", "evt_waits", "evt_dead", "evt_replayed"];
    let all = all.iter().map(|id| event(id)).collect::<Result<Vec<_>>>()?;
    let accepted = bench.accept(&all).await?;
    let rows = numbers(&accepted)?;
    let mut tx = bench.store.begin("work").await?;
    store::finish(&mut tx, &[Finished { event: rows[1], status: EventStatus::Applied }], noon()).await?;
    let waits = Failure { counts: false, ..failure(rows[3], 0, false) };
    let failures = [failure(rows[2], 1, false), waits, failure(rows[4], 3, true), failure(rows[5], 3, true)];
    store::record_failures(&mut tx, &failures, "worker-1", noon()).await?;
    let one = DeadFilter { event_ids: Some(vec!["evt_replayed".to_owned()]), ..DeadFilter::default() };
    let replay = store::start_replay(&mut tx, &one, 1, after(1)).await?;
    assert_eq!(store::replay_chunk(&mut tx, replay, &one, 1, after(1)).await?, 1);
    tx.commit().await?;
    let claimed = claim(&bench, 10, 10).await?;
    assert_eq!((claimed.len(), events(&claimed[0])), (1, vec!["evt_fresh"]));
    Ok(())
}

#[tokio::test]
async fn a_bundle_of_which_nothing_is_left_is_claimed_so_that_it_can_go() -> Result<()> {
    let bench = Bench::new().await?;
    let accepted = bench.accept(&[event("evt_1")?, event("evt_2")?]).await?;
    let done = |event: &i64| Finished { event: *event, status: EventStatus::Applied };
    let done: Vec<Finished> = numbers(&accepted)?.iter().map(done).collect();
    let mut connection = bench.store.connection().await?;
    store::finish(&mut connection, &done, noon()).await?;
    let claimed = claim(&bench, 10, 10).await?;
    assert_eq!((claimed.len(), claimed[0].events.len()), (1, 0));
    store::confirm_bundles(&mut connection, &ids(&claimed)).await?;
    assert_eq!(bench.number("SELECT count(*) FROM bundles").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_confirmed_bundle_is_gone_and_the_others_stay() -> Result<()> {
    let bench = Bench::new().await?;
    let bundles = bundled(&bench, &["evt_1", "evt_2", "evt_3"]).await?;
    let mut connection = bench.store.connection().await?;
    for _ in 0..2 {
        store::confirm_bundles(&mut connection, &[bundles[2], bundles[0]]).await?;
        assert_eq!(bench.number("SELECT sum(id)::bigint FROM bundles").await?, bundles[1]);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_not_confirmed_stays_in_its_bundle_and_is_due_when_it_should() -> Result<()> {
    let bench = Bench::new().await?;
    let accepted = bench.accept(&[event("evt_1")?, event("evt_2")?, event("evt_3")?]).await?;
    let rows = numbers(&accepted)?;
    let bundle = claim(&bench, 10, 10).await?[0].id;
    let mut connection = bench.store.connection().await?;
    store::keep_in_bundle(&mut connection, bundle, &rows[1..2], after(12)).await?;
    assert_eq!(ids(&claim(&bench, 11, 10).await?), [0; 0]);
    let rest = claim(&bench, 12, 10).await?;
    assert_eq!((rest[0].id, events(&rest[0])), (bundle, vec!["evt_2"]));
    store::confirm_bundles(&mut connection, &[bundle]).await?;
    store::keep_in_bundle(&mut connection, bundle, &rows, after(12)).await?;
    assert_eq!(ids(&claim(&bench, 99, 10).await?), [0; 0], "what is gone does not come back");
    Ok(())
}

#[tokio::test]
async fn a_bundle_may_be_claimed_while_its_events_are_being_applied() -> Result<()> {
    let bench = Bench::new().await?;
    bundled(&bench, &["evt_1"]).await?;
    let mut worker = bench.store.begin("apply").await?;
    store::lock_events(&mut worker, &[key("evt_1")?]).await?;
    assert_eq!(claim(&bench, 10, 10).await?.len(), 1, "nobody waits for the worker");
    worker.commit().await?;
    Ok(())
}
