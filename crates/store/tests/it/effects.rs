//! What is to be done, each thing once.

use crate::bench::{Bench, after, noon, session};
use anyhow::Result;
use domain::decide::Overtaken;
use domain::{Effect, EffectKind, ResourceRef, Standing};
use store::NewEffect;

fn effect(kind: EffectKind, key: &str, standing: Standing) -> Effect {
    Effect { kind, key: key.to_owned(), standing, detail: "why".to_owned() }
}

async fn record(bench: &Bench, resource: &ResourceRef, event: i64, effects: &[Effect]) -> Result<()> {
    let new: Vec<NewEffect<'_>> =
        effects.iter().map(|effect| NewEffect { resource, event, effect: effect.clone() }).collect();
    let mut tx = bench.store.begin("record").await?;
    store::record_effects(&mut tx, &new, after(event)).await?;
    tx.commit().await?;
    Ok(())
}

async fn close(bench: &Bench, overtaken: &[(&ResourceRef, Overtaken)]) -> Result<()> {
    let mut tx = bench.store.begin("close").await?;
    store::close_overtaken(&mut tx, overtaken).await?;
    tx.commit().await?;
    Ok(())
}

/// Kind, key and standing of a session's effects, sorted.
async fn effects(bench: &Bench, id: &str) -> Result<Vec<(String, String, String)>> {
    let mut connection = bench.store.connection().await?;
    let rows = store::effects_of_resource(&mut connection, "session", id).await?;
    let mut effects: Vec<_> = rows.into_iter().map(|row| (row.kind, row.key, row.standing)).collect();
    effects.sort();
    Ok(effects)
}

fn row(kind: &str, key: &str, standing: &str) -> (String, String, String) {
    (kind.to_owned(), key.to_owned(), standing.to_owned())
}

#[tokio::test]
async fn an_effect_is_recorded_once_and_keeps_its_first_cause() -> Result<()> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    let due = effect(EffectKind::Review, "sevt_1", Standing::Due);
    record(&bench, &resource, 1, &[due.clone(), due.clone()]).await?;
    record(&bench, &resource, 2, std::slice::from_ref(&due)).await?;
    record(&bench, &session("sesn_2"), 3, &[due]).await?;
    assert_eq!(effects(&bench, "sesn_1").await?, [row("review", "sevt_1", "due")]);
    let mut connection = bench.store.connection().await?;
    let caused = store::effects_of_event(&mut connection, 1).await?;
    assert_eq!(caused.len(), 1);
    assert_eq!((caused[0].recorded_at, caused[0].done_at), (after(1), None));
    assert!(store::effects_of_event(&mut connection, 2).await?.is_empty());
    assert_eq!(store::effects_of_event(&mut connection, 3).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_effect_takes_the_newer_standing_in_both_directions() -> Result<()> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    for (standing, name) in [(Standing::Due, "due"), (Standing::Obsolete, "obsolete"), (Standing::Due, "due")]
    {
        record(&bench, &resource, 1, &[effect(EffectKind::Review, "sevt_1", standing)]).await?;
        assert_eq!(effects(&bench, "sesn_1").await?, [row("review", "sevt_1", name)]);
    }
    Ok(())
}

#[tokio::test]
async fn of_several_decisions_in_one_call_the_last_one_counts() -> Result<()> {
    let bench = Bench::new().await?;
    let decisions = [Standing::Due, Standing::Obsolete, Standing::Due, Standing::Obsolete]
        .map(|standing| effect(EffectKind::Review, "sevt_1", standing));
    record(&bench, &session("sesn_1"), 1, &decisions).await?;
    assert_eq!(effects(&bench, "sesn_1").await?, [row("review", "sevt_1", "obsolete")]);
    Ok(())
}

#[tokio::test]
async fn what_was_carried_out_is_never_changed() -> Result<()> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    record(&bench, &resource, 1, &[effect(EffectKind::Review, "sevt_1", Standing::Due)]).await?;
    bench.sql(format!("UPDATE effects SET done_at = '{}'", noon().to_rfc3339())).await?;
    record(&bench, &resource, 2, &[effect(EffectKind::Review, "sevt_1", Standing::Obsolete)]).await?;
    close(&bench, &[(&resource, Overtaken::AllButAlerts)]).await?;
    close(&bench, &[(&resource, Overtaken::ReviewsExcept(Vec::new()))]).await?;
    assert_eq!(effects(&bench, "sesn_1").await?, [row("review", "sevt_1", "due")]);
    Ok(())
}

/// Two reviews, an alert and the archiving, for two sessions.
async fn filled() -> Result<Bench> {
    let bench = Bench::new().await?;
    let all = [
        effect(EffectKind::Review, "sevt_1", Standing::Due),
        effect(EffectKind::Review, "sevt_2", Standing::Due),
        effect(EffectKind::Alert, "sevt_1", Standing::Due),
        effect(EffectKind::Archive, "transcript", Standing::Due),
    ];
    record(&bench, &session("sesn_1"), 1, &all).await?;
    record(&bench, &session("sesn_2"), 1, &all).await?;
    Ok(bench)
}

#[tokio::test]
async fn reviews_that_are_no_longer_asked_for_close_and_nothing_else_does() -> Result<()> {
    let bench = filled().await?;
    let resource = session("sesn_1");
    close(&bench, &[(&resource, Overtaken::Nothing)]).await?;
    assert_eq!(effects(&bench, "sesn_1").await?, effects(&bench, "sesn_2").await?);
    close(&bench, &[(&resource, Overtaken::ReviewsExcept(vec!["sevt_2".to_owned()]))]).await?;
    let expected = [
        row("alert", "sevt_1", "due"),
        row("archive", "transcript", "due"),
        row("review", "sevt_1", "obsolete"),
        row("review", "sevt_2", "due"),
    ];
    assert_eq!(effects(&bench, "sesn_1").await?, expected);
    assert!(effects(&bench, "sesn_2").await?.iter().all(|(_, _, standing)| standing == "due"));
    Ok(())
}

#[tokio::test]
async fn a_deletion_closes_everything_but_alerts() -> Result<()> {
    let bench = filled().await?;
    let resource = session("sesn_1");
    close(&bench, &[(&resource, Overtaken::AllButAlerts)]).await?;
    let expected = [
        row("alert", "sevt_1", "due"),
        row("archive", "transcript", "obsolete"),
        row("review", "sevt_1", "obsolete"),
        row("review", "sevt_2", "obsolete"),
    ];
    assert_eq!(effects(&bench, "sesn_1").await?, expected);
    Ok(())
}

#[tokio::test]
async fn one_call_closes_for_several_resources_each_its_own() -> Result<()> {
    let bench = filled().await?;
    let (one, other) = (session("sesn_1"), session("sesn_2"));
    let keep = |key: &str| Overtaken::ReviewsExcept(vec![key.to_owned()]);
    close(&bench, &[(&one, keep("sevt_1")), (&other, keep("sevt_2"))]).await?;
    let open = async |id| {
        let effects = effects(&bench, id).await?.into_iter();
        let due = effects.filter(|(kind, _, standing)| kind == "review" && standing == "due");
        anyhow::Ok(due.map(|(_, key, _)| key).collect::<Vec<_>>())
    };
    assert_eq!(open("sesn_1").await?, ["sevt_1"]);
    assert_eq!(open("sesn_2").await?, ["sevt_2"]);
    Ok(())
}
