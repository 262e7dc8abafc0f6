//! The state of a resource survives its way into the database and back.

use crate::bench::{Bench, after, noon, session};
use anyhow::Result;
use domain::{EventId, Order, ResourceKind, ResourceRef, ResourceState, Snapshot, SnapshotSource, Waiting};
use store::{NewState, ResourceFilter};

/// Members out of order and twice, numbers that a parser would rewrite, strings that `jsonb` refuses.
const VERBATIM: &str = "{ \"z\":1.0, \"a\" : 1e400, \"a\":0.10,\n\t\"nul\":\"\\u0000\", \"lone\":\"\\ud800\", \
                        \"big\":123456789012345678901234567890, \"text\":\"\u{1f469}\u{200d}\u{1f680} \u{202e} '\" }";

fn snapshot() -> Snapshot {
    Snapshot {
        body: VERBATIM.to_owned(),
        status: Some("idle".to_owned()),
        updated_at: Some(after(-3)),
        fetched_at: after(-1),
        source: SnapshotSource::Api,
        waiting: Some(Waiting {
            event_id: "sevt_1".to_owned(),
            reason: "requires_action".to_owned(),
            blocking_event_ids: vec!["sevt_2".to_owned(), "sevt_\u{0} \"3\"".to_owned()],
        }),
    }
}

fn order(seconds: i64, rank: u8, id: &str) -> Result<Order> {
    Ok(Order { created_at: after(seconds), rank, event_id: EventId::new(id)? })
}

async fn save(
    bench: &Bench,
    resource: &ResourceRef,
    state: &ResourceState,
    space: Option<&str>,
) -> Result<()> {
    let mut tx = bench.store.begin("save").await?;
    store::lock_states(&mut tx, &[resource]).await?;
    store::save_states(&mut tx, &[NewState { resource, workspace_id: space, state }]).await?;
    tx.commit().await?;
    Ok(())
}

/// What is read back, once with a lock and once without; both must be the same.
async fn read(bench: &Bench, resource: &ResourceRef) -> Result<ResourceState> {
    let name = (resource.kind, resource.id.clone());
    let mut tx = bench.store.begin("read").await?;
    let loaded = store::load_states(&mut tx, &[resource]).await?.remove(&name);
    let locked = store::lock_states(&mut tx, &[resource]).await?.remove(&name);
    assert_eq!(loaded, locked);
    Ok(locked.unwrap_or_default())
}

#[tokio::test]
async fn every_member_of_a_state_is_read_back_as_it_was_written() -> Result<()> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    let full = ResourceState {
        last_event: Some(order(-2, 255, "evt_9")?),
        snapshot: Some(snapshot()),
        deleted_at: Some(noon()),
    };
    let only_snapshot = ResourceState { snapshot: Some(snapshot()), ..ResourceState::default() };
    let bare = Snapshot { status: None, updated_at: None, waiting: None, ..snapshot() };
    let states = [
        full.clone(),
        only_snapshot,
        ResourceState { deleted_at: Some(noon()), ..ResourceState::default() },
        ResourceState { last_event: Some(order(0, 0, "evt_1")?), ..ResourceState::default() },
        ResourceState { snapshot: Some(Snapshot { source: SnapshotSource::Payload, ..bare }), ..full },
        ResourceState::default(),
    ];
    for state in states {
        save(&bench, &resource, &state, None).await?;
        assert_eq!(read(&bench, &resource).await?, state);
    }
    Ok(())
}

#[tokio::test]
async fn a_snapshot_is_shown_byte_for_byte() -> Result<()> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    let state = ResourceState { snapshot: Some(snapshot()), ..ResourceState::default() };
    save(&bench, &resource, &state, Some("wrkspc_1")).await?;
    let mut connection = bench.store.connection().await?;
    let found = store::find_resource(&mut connection, "session", "sesn_1").await?;
    let found = found.expect("the resource is stored");
    assert_eq!(found.snapshot.as_deref(), Some(VERBATIM));
    assert_eq!(found.snapshot_source.as_deref(), Some("api"));
    assert_eq!(found.row.status.as_deref(), Some("idle"));
    assert_eq!(found.waiting.expect("it waits")["blocking_event_ids"][0], "sevt_2");
    assert!(store::find_resource(&mut connection, "session", "sesn_2").await?.is_none());
    assert!(store::find_resource(&mut connection, "vault", "sesn_1").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_deleted_resource_is_shown_as_deleted_with_its_last_snapshot() -> Result<()> {
    let bench = Bench::new().await?;
    let state = ResourceState {
        snapshot: Some(snapshot()),
        deleted_at: Some(noon()),
        last_event: Some(order(0, 100, "evt_9")?),
    };
    save(&bench, &session("sesn_1"), &state, None).await?;
    let mut connection = bench.store.connection().await?;
    let found = store::find_resource(&mut connection, "session", "sesn_1").await?;
    let found = found.expect("a tombstone stays");
    assert_eq!(found.row.status.as_deref(), Some("deleted"));
    assert_eq!((found.deleted_at, found.row.last_event.as_deref()), (Some(noon()), Some("evt_9")));
    assert_eq!(found.snapshot.as_deref(), Some(VERBATIM));
    Ok(())
}

#[tokio::test]
async fn locking_creates_what_is_missing_and_loading_does_not() -> Result<()> {
    let bench = Bench::new().await?;
    let thread = ResourceRef {
        kind: ResourceKind::SessionThread,
        id: "sthr_1".to_owned(),
        parent_id: Some("sesn_1".to_owned()),
    };
    let wanted = [&thread, &session("sesn_1"), &thread];
    let mut tx = bench.store.begin("apply").await?;
    assert!(store::load_states(&mut tx, &wanted).await?.is_empty());
    let states = store::lock_states(&mut tx, &wanted).await?;
    assert_eq!(states.len(), 2);
    assert!(states.values().all(|state| *state == ResourceState::default()));
    // A row that only serves as a lock is nobody's resource yet.
    assert!(store::find_resource(&mut tx, "session_thread", "sthr_1").await?.is_none());
    let state = ResourceState { snapshot: Some(snapshot()), ..ResourceState::default() };
    let new = store::NewState { resource: &thread, workspace_id: None, state: &state };
    store::save_states(&mut tx, &[new]).await?;
    tx.commit().await?;
    let mut connection = bench.store.connection().await?;
    let found = store::find_resource(&mut connection, "session_thread", "sthr_1").await?;
    assert_eq!(found.expect("it was decided").row.parent_id.as_deref(), Some("sesn_1"));
    Ok(())
}

#[tokio::test]
async fn a_locked_resource_is_waited_for() -> Result<()> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    let state = ResourceState { deleted_at: Some(noon()), ..ResourceState::default() };
    let mut first = bench.store.begin("first").await?;
    store::lock_states(&mut first, &[&resource]).await?;
    let second = async {
        let mut tx = bench.store.begin("second").await?;
        anyhow::Ok(store::lock_states(&mut tx, &[&resource]).await?)
    };
    let rest = async {
        bench.waits_for_a_lock(1).await?;
        let new = NewState { resource: &resource, workspace_id: None, state: &state };
        store::save_states(&mut first, &[new]).await?;
        first.commit().await?;
        anyhow::Ok(())
    };
    let (seen, ()) = tokio::try_join!(second, rest)?;
    assert_eq!(seen.values().collect::<Vec<_>>(), [&state]);
    Ok(())
}

#[tokio::test]
async fn an_event_that_names_no_workspace_does_not_erase_it() -> Result<()> {
    let bench = Bench::new().await?;
    let resource = session("sesn_1");
    let state = ResourceState { last_event: Some(order(0, 1, "evt_1")?), ..ResourceState::default() };
    save(&bench, &resource, &state, Some("wrkspc_1")).await?;
    save(&bench, &resource, &state, None).await?;
    let mut connection = bench.store.connection().await?;
    let found = store::find_resource(&mut connection, "session", "sesn_1").await?;
    assert_eq!(found.expect("the resource is stored").row.workspace_id.as_deref(), Some("wrkspc_1"));
    Ok(())
}

#[tokio::test]
async fn resources_are_listed_by_kind_and_status_with_the_newest_events_first() -> Result<()> {
    let bench = Bench::new().await?;
    let vault = ResourceRef { kind: ResourceKind::Vault, ..session("vlt_1") };
    let deleted = |seconds| -> Result<ResourceState> {
        let last_event = Some(order(seconds, 100, "evt_1")?);
        Ok(ResourceState { last_event, deleted_at: Some(noon()), snapshot: None })
    };
    let live = ResourceState {
        last_event: Some(order(2, 1, "evt_2")?),
        snapshot: Some(snapshot()),
        deleted_at: None,
    };
    save(&bench, &session("sesn_old"), &deleted(1)?, None).await?;
    save(&bench, &session("sesn_new"), &live, None).await?;
    save(&bench, &session("sesn_silent"), &ResourceState::default(), None).await?;
    save(&bench, &vault, &deleted(3)?, None).await?;
    let list = async |kind, status: Option<&str>, limit| {
        let filter = ResourceFilter { kind, status: status.map(str::to_owned), limit };
        let mut connection = bench.store.connection().await?;
        let rows = store::list_resources(&mut connection, &filter).await?;
        anyhow::Ok(rows.into_iter().map(|row| row.id).collect::<Vec<_>>())
    };
    assert_eq!(list(None, None, 10).await?, ["vlt_1", "sesn_new", "sesn_old"]);
    assert_eq!(list(Some(ResourceKind::Session), None, 2).await?, ["sesn_new", "sesn_old"]);
    assert_eq!(list(None, Some("deleted"), 10).await?, ["vlt_1", "sesn_old"]);
    assert_eq!(list(Some(ResourceKind::Session), Some("idle"), 10).await?, ["sesn_new"]);
    Ok(())
}
