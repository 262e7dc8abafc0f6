//! What the reconciler asks, and how it keeps its place.

use crate::bench::{Bench, after, event, noon, session};
use anyhow::{Context, Result};
use domain::ResourceKind::{Session, SessionThread};
use domain::{ResourceKind, ResourceRef};
use store::reconcile::{self, NewPass, Pass, Stage, Tally};
use store::{NewEvent, Store};

/// Four sessions: one that runs, one that waits for an answer, one at rest, one deleted; and one that only a payload has
/// shown. `sesn_run` has a thread.
async fn held() -> Result<Bench> {
    let bench = Bench::new().await?;
    let at = noon().to_rfc3339();
    bench
        .sql(format!(
            "INSERT INTO resources (resource_type, resource_id, parent_id, workspace_id, status, snapshot, \
                 snapshot_source, snapshot_status, snapshot_updated_at, fetched_at, deleted_at) VALUES \
             ('session', 'sesn_run', NULL, 'wrkspc_1', 'running', '{{}}', 'api', 'running', '{at}', '{at}', NULL), \
             ('session', 'sesn_ask', NULL, 'wrkspc_1', 'idle', '{{}}', 'api', 'idle', '{at}', '{at}', NULL), \
             ('session', 'sesn_rest', NULL, 'wrkspc_1', 'idle', '{{}}', 'api', 'idle', '{at}', '{at}', NULL), \
             ('session', 'sesn_gone', NULL, 'wrkspc_1', 'deleted', '{{}}', 'api', 'running', '{at}', '{at}', '{at}'), \
             ('session', 'sesn_lock', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
             ('message', 'msg_1', NULL, NULL, 'created', '{{}}', 'payload', 'created', '{at}', '{at}', NULL), \
             ('session_thread', 'sthr_1', 'sesn_run', NULL, 'idle', '{{}}', 'api', 'idle', '{at}', '{at}', NULL); \
             INSERT INTO effects (resource_type, resource_id, kind, key, standing, detail, event, recorded_at) VALUES \
             ('session', 'sesn_ask', 'review', 'sevt_1', 'due', '', 1, '{at}'), \
             ('session', 'sesn_rest', 'review', 'sevt_2', 'obsolete', '', 1, '{at}')"
        ))
        .await?;
    Ok(bench)
}

async fn ids(store: &Store, unfinished: bool, after: &str) -> Result<Vec<String>> {
    let mut connection = store.connection().await?;
    Ok(reconcile::held_ids(&mut connection, Session, unfinished, after, 10).await?)
}

#[tokio::test]
async fn what_is_held_is_what_the_api_has_shown() -> Result<()> {
    let bench = held().await?;
    let mut connection = bench.store.connection().await?;
    let asked = ["sesn_run", "sesn_gone", "sesn_lock", "sesn_unknown"];
    let held = reconcile::held(&mut connection, Session, &asked).await?;
    assert_eq!(held.len(), 2, "a row that only serves as a lock is nothing that is held: {held:?}");
    let run = held.get("sesn_run").context("it is held")?;
    assert_eq!((run.status.as_deref(), run.updated_at, run.deleted), (Some("running"), Some(noon()), false));
    assert!(held.get("sesn_gone").context("it is held")?.deleted);
    let threads = reconcile::held_children(&mut connection, SessionThread, "sesn_run").await?;
    assert_eq!(threads.keys().collect::<Vec<_>>(), ["sthr_1"]);
    Ok(())
}

#[tokio::test]
async fn unfinished_is_what_runs_and_what_waits_for_an_answer() -> Result<()> {
    let bench = held().await?;
    assert_eq!(ids(&bench.store, false, "").await?, ["sesn_ask", "sesn_rest", "sesn_run"]);
    assert_eq!(ids(&bench.store, false, "sesn_ask").await?, ["sesn_rest", "sesn_run"]);
    assert_eq!(ids(&bench.store, true, "").await?, ["sesn_ask", "sesn_run"]);
    assert_eq!(ids(&bench.store, true, "sesn_ask").await?, ["sesn_run"]);
    Ok(())
}

#[tokio::test]
async fn a_resource_is_pending_while_an_event_of_it_or_of_its_parts_is() -> Result<()> {
    let bench = held().await?;
    let of = |id: &str, resource: ResourceRef| -> Result<NewEvent> {
        let mut event = event(id)?;
        event.event.resource = Some(resource);
        Ok(event)
    };
    let thread =
        ResourceRef { kind: SessionThread, id: "sthr_1".to_owned(), parent_id: Some("sesn_run".to_owned()) };
    bench.accept(&[of("evt_1", session("sesn_ask"))?, of("evt_2", thread)?]).await?;
    let mut connection = bench.store.connection().await?;
    let asked = ["sesn_run", "sesn_ask", "sesn_rest"];
    let mut pending: Vec<String> =
        reconcile::pending_among(&mut connection, Session, &asked).await?.into_iter().collect();
    pending.sort();
    assert_eq!(pending, ["sesn_ask", "sesn_run"]);
    assert!(reconcile::pending_among(&mut connection, Session, &["sesn_rest"]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_was_not_there_counts_only_in_a_workspace_that_we_see() -> Result<()> {
    let bench = held().await?;
    let of = |id: &str, resource: &str, workspace: &str| -> Result<NewEvent> {
        let mut event = event(id)?;
        event.event.resource = Some(session(resource));
        event.event.workspace_id = Some(workspace.to_owned());
        Ok(event)
    };
    let dead = [
        of("evt_1", "sesn_never_seen", "wrkspc_1")?,
        of("evt_2", "sesn_of_others", "wrkspc_2")?,
        of("evt_3", "sesn_run", "wrkspc_1")?,
        of("evt_4", "sesn_gone", "wrkspc_1")?,
    ];
    bench.died(&dead).await?;
    let mut connection = bench.store.connection().await?;
    let vanished = reconcile::vanished(&mut connection, Session, 10).await?;
    assert_eq!(vanished, [("sesn_never_seen".to_owned(), None)]);
    Ok(())
}

#[tokio::test]
async fn the_owner_is_that_of_the_newest_delivery() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    assert_eq!(reconcile::owner(&mut connection).await?, domain::reconcile::Owner::default());
    let mut second = event("evt_2")?;
    second.event.workspace_id = Some("wrkspc_2".to_owned());
    let mut made = event("evt_3")?;
    (made.event.workspace_id, made.source) = (Some("wrkspc_3".to_owned()), store::Source::Reconcile);
    for event in [event("evt_1")?, second, made] {
        bench.accept(&[event]).await?;
    }
    let owner = reconcile::owner(&mut connection).await?;
    assert_eq!(
        (owner.organization_id.as_deref(), owner.workspace_id.as_deref()),
        (Some("org_1"), Some("wrkspc_2"))
    );
    Ok(())
}

#[tokio::test]
async fn the_history_of_a_session_holds_that_of_its_threads() -> Result<()> {
    let bench = held().await?;
    let entry = |kind: &str, id: &str, seconds: i64| {
        let at = after(seconds).to_rfc3339();
        format!("('{kind}', '{id}', '{at}', 10, 'evt_{id}_{seconds}', 'type_{seconds}', 1)")
    };
    let entries = [
        entry("session", "sesn_run", 3),
        entry("session", "sesn_run", 1),
        entry("session_thread", "sthr_1", 2),
        entry("session", "sesn_rest", 4),
    ];
    bench
        .sql(format!(
            "INSERT INTO resource_history (resource_type, resource_id, created_at, rank, event_id, event_type, event) \
             VALUES {}",
            entries.join(", ")
        ))
        .await?;
    let mut connection = bench.store.connection().await?;
    let types = |history: Option<&Vec<domain::gaps::Entry>>| -> Vec<String> {
        let history = history.into_iter().flatten();
        history
            .map(|entry| format!("{}{}", entry.event_type, entry.thread.as_deref().unwrap_or_default()))
            .collect()
    };
    let all = reconcile::histories(&mut connection, &["sesn_run", "sesn_none"], None).await?;
    assert_eq!(types(all.get("sesn_run")), ["type_1", "type_2sthr_1", "type_3"]);
    assert_eq!(all.len(), 1);
    let late = reconcile::histories(&mut connection, &["sesn_run"], Some(after(2))).await?;
    assert_eq!(types(late.get("sesn_run")), ["type_2sthr_1", "type_3"]);
    let recent = reconcile::recent_histories(&mut connection, &["sesn_run", "sesn_rest"], 1).await?;
    assert_eq!(types(recent.get("sesn_run")), ["type_2sthr_1", "type_3"], "the last of each");
    assert_eq!(types(recent.get("sesn_rest")), ["type_4"]);
    Ok(())
}

fn new(kind: ResourceKind, whole: bool, seconds: i64) -> NewPass {
    NewPass { kind, whole, since: Some(noon()), started_at: after(seconds) }
}

#[tokio::test]
async fn a_kind_has_one_open_pass_which_is_gone_on_with() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let id =
        reconcile::begin_pass(&mut connection, &new(Session, false, 1)).await?.context("none is open")?;
    assert_eq!(reconcile::begin_pass(&mut connection, &new(Session, false, 2)).await?, None);
    assert!(reconcile::begin_pass(&mut connection, &new(ResourceKind::Vault, false, 2)).await?.is_some());

    let mut pass = reconcile::open_pass(&mut connection, Session).await?.context("it is open")?;
    assert_eq!((pass.id, pass.stage, pass.since), (id, Stage::Listing, Some(noon())));
    let tally = Tally { compared: 9, missing: 1, differing: 2, deleted: 3, queued: 4 };
    pass = Pass { stage: Stage::Unfinished, cursor: Some("page_2".to_owned()), tally, ..pass };
    for seen in [&["sesn_1", "sesn_2"][..], &["sesn_2", "sesn_2", "sesn_3"], &[]] {
        reconcile::note_page(&mut connection, &pass, seen).await?;
    }
    let again = reconcile::open_pass(&mut connection, Session).await?.context("it is open")?;
    assert_eq!(
        (again.stage, again.cursor.as_deref(), again.tally),
        (Stage::Unfinished, Some("page_2"), tally)
    );
    let mut seen = reconcile::seen_in(&mut connection, id).await?;
    seen.sort();
    assert_eq!(seen, ["sesn_1", "sesn_2", "sesn_3"]);
    Ok(())
}

#[tokio::test]
async fn a_pass_that_ended_tells_when_it_began_and_is_forgotten_in_the_end() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    for (whole, seconds) in [(true, 1), (false, 2), (false, 3)] {
        let new = new(Session, whole, seconds);
        let id = reconcile::begin_pass(&mut connection, &new).await?.context("none is open")?;
        let pass = reconcile::open_pass(&mut connection, Session).await?.context("it is open")?;
        reconcile::note_page(&mut connection, &pass, &["sesn_1"]).await?;
        reconcile::end_pass(&mut connection, id, after(seconds + 10), after(0)).await?;
    }
    assert_eq!(reconcile::open_pass(&mut connection, Session).await?.map(|pass| pass.id), None);
    assert_eq!(reconcile::last_pass(&mut connection, Session, false).await?, Some(after(3)));
    assert_eq!(reconcile::last_pass(&mut connection, Session, true).await?, Some(after(1)));
    assert_eq!(bench.number("SELECT count(*) FROM reconcile_seen").await?, 0);

    let id =
        reconcile::begin_pass(&mut connection, &new(Session, false, 4)).await?.context("none is open")?;
    reconcile::end_pass(&mut connection, id, after(20), after(12)).await?;
    assert_eq!(bench.number("SELECT count(*) FROM reconcile_passes").await?, 3, "the first one is forgotten");

    let id =
        reconcile::begin_pass(&mut connection, &new(Session, false, 5)).await?.context("none is open")?;
    reconcile::drop_pass(&mut connection, id).await?;
    assert_eq!(reconcile::last_pass(&mut connection, Session, false).await?, Some(after(4)));
    Ok(())
}
