//! Effects that are claimed, prolonged, put off and finished.

use crate::bench::{Bench, after, session};
use anyhow::Result;
use domain::{Effect, EffectKind, Standing};
use store::{DueEffect, NewEffect};

async fn with_effects(keys: &[&str]) -> Result<Bench> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    let effect = |key: &&str| Effect {
        kind: EffectKind::Review,
        key: (*key).to_owned(),
        standing: Standing::Due,
        detail: "why".to_owned(),
    };
    let new: Vec<NewEffect<'_>> =
        keys.iter().map(|key| NewEffect { resource: &resource, event: 1, effect: effect(key) }).collect();
    let mut tx = bench.store.begin("record").await?;
    store::record_effects(&mut tx, &new, after(0)).await?;
    tx.commit().await?;
    Ok(bench)
}

async fn claim(bench: &Bench, now: i64, lease_ends: i64) -> Result<Vec<DueEffect>> {
    let mut connection = bench.store.connection().await?;
    let (now, lease_ends) = (after(now), after(lease_ends));
    Ok(store::claim_effects(&mut connection, EffectKind::Review, now, lease_ends, 10).await?)
}

#[tokio::test]
async fn a_claimed_effect_comes_back_when_its_lease_ends_and_a_finished_one_does_not() -> Result<()> {
    let bench = with_effects(&["sevt_1", "sevt_2"]).await?;
    let claimed = claim(&bench, 0, 30).await?;
    assert_eq!(claimed.len(), 2);
    assert!(claim(&bench, 29, 60).await?.is_empty());
    let mut tx = bench.store.begin("finish").await?;
    assert!(store::finish_effect(&mut tx, claimed[0].id, after(5)).await?);
    assert!(!store::finish_effect(&mut tx, claimed[0].id, after(6)).await?);
    tx.commit().await?;
    let again = claim(&bench, 30, 60).await?;
    assert_eq!(again.iter().map(|effect| effect.id).collect::<Vec<_>>(), [claimed[1].id]);
    Ok(())
}

#[tokio::test]
async fn a_lease_is_prolonged_only_by_whoever_has_it() -> Result<()> {
    let bench = with_effects(&["sevt_1"]).await?;
    let id = claim(&bench, 0, 30).await?[0].id;
    let mut connection = bench.store.connection().await?;
    assert!(store::renew_effect(&mut connection, id, after(30), after(60)).await?);
    assert!(claim(&bench, 59, 90).await?.is_empty());
    assert_eq!(claim(&bench, 60, 90).await?.len(), 1);
    // The first one wakes up late, and the lease is somebody else's by now.
    assert!(!store::renew_effect(&mut connection, id, after(60), after(120)).await?);
    // What a handler has put off itself is not drawn near again.
    store::postpone_effect(&mut connection, id, None, None).await?;
    assert!(!store::renew_effect(&mut connection, id, after(90), after(120)).await?);
    assert!(claim(&bench, 1_000_000, 1_000_030).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_failure_is_counted_with_its_cause_and_mere_waiting_is_not() -> Result<()> {
    let bench = with_effects(&["sevt_1"]).await?;
    let id = claim(&bench, 0, 30).await?[0].id;
    let mut connection = bench.store.connection().await?;
    store::postpone_effect(&mut connection, id, Some(after(10)), None).await?;
    assert_eq!(claim(&bench, 10, 40).await?[0].tries, 0);
    store::postpone_effect(&mut connection, id, Some(after(20)), Some("the API is away")).await?;
    assert_eq!(claim(&bench, 20, 50).await?[0].tries, 1);
    Ok(())
}
