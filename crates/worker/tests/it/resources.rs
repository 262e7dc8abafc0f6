//! `worker resources`.

use crate::lab::{Lab, SESSION};
use anyhow::{Context, Result};
use chrono::TimeDelta;
use domain::{EffectKind, ResourceKind, ResourceRef, ResourceState, Snapshot, SnapshotSource, Standing};
use serde_json::json;
use store::{HistoryEntry, NewEffect, NewState};
use testkit::clock::real_now;
use testkit::payload;

/// One session with two events, written as a worker would, the later one first.
async fn write_session(lab: &Lab) -> Result<[String; 2]> {
    let (earlier, later) = (payload::event_id(), payload::event_id());
    let now = real_now();
    let resource = ResourceRef { kind: ResourceKind::Session, id: SESSION.to_owned(), parent_id: None };
    let mut orders = Vec::new();
    for (id, created_at) in [(&later, now), (&earlier, now - TimeDelta::hours(1))] {
        lab.accept_at("default", id, "session.updated").await?;
        let body = payload::platform(id, "session.updated", SESSION, created_at).to_string();
        orders.push((domain::envelope::parse(body.as_bytes())?.order(), lab.row(id).await?));
    }
    let (order, event) = orders.first().context("no order")?;
    let state = ResourceState {
        last_event: Some(order.clone()),
        snapshot: Some(Snapshot {
            body: r#"{"id":"sesn","status":"idle"}"#.to_owned(),
            status: Some("idle".to_owned()),
            updated_at: Some(now),
            fetched_at: now,
            source: SnapshotSource::Api,
            waiting: None,
        }),
        deleted_at: None,
    };
    let entries: Vec<HistoryEntry<'_>> = orders
        .iter()
        .map(|(order, event)| HistoryEntry {
            resource: &resource,
            order: order.clone(),
            event_type: "session.updated",
            event: *event,
        })
        .collect();
    let alert = domain::Effect {
        kind: EffectKind::Alert,
        key: later.clone(),
        standing: Standing::Due,
        detail: "refusal".to_owned(),
    };
    let effect = NewEffect { resource: &resource, event: *event, effect: alert };
    let mut tx = lab.store.begin("test").await?;
    store::lock_states(&mut tx, &[&resource]).await?;
    store::save_states(&mut tx, &[NewState { resource: &resource, workspace_id: None, state: &state }])
        .await?;
    store::record_history(&mut tx, &entries).await?;
    store::record_effects(&mut tx, &[effect], now).await?;
    tx.commit().await?;
    Ok([earlier, later])
}

#[tokio::test]
async fn a_resource_has_the_names_that_were_promised_and_its_history_in_order() -> Result<()> {
    let lab = Lab::new().await?;
    let [earlier, later] = write_session(&lab).await?;
    let story = lab.worker(&["resources", "show", "session", SESSION, "--json"]).await?.json()?;
    assert_eq!((&story["status"], &story["last_event"]), (&json!("idle"), &json!(later)));
    assert_eq!(story["snapshot"], json!({ "id": "sesn", "status": "idle" }));
    assert!(story["fetched_at"].is_string(), "{story}");
    let history: Vec<_> =
        story["history"].as_array().context("no history")?.iter().map(|e| &e["event_id"]).collect();
    assert_eq!(history, [&json!(earlier), &json!(later)]);
    let text = lab.worker(&["resources", "show", "session", SESSION]).await?.stdout;
    for part in ["History", "Effects", "refusal", "Snapshot", "\"status\": \"idle\""] {
        assert!(text.contains(part), "{part}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn filters_narrow_the_list() -> Result<()> {
    let lab = Lab::new().await?;
    assert_eq!(lab.worker(&["resources", "list"]).await?.stdout, "no resources\n");
    write_session(&lab).await?;
    for (filter, count) in [
        (&["--type", "session"][..], 1),
        (&["--status", "idle"], 1),
        (&["--status", "running"], 0),
        (&["--type", "vault"], 0),
    ] {
        let list = lab.worker(&[&["resources", "list", "--json"], filter].concat()).await?.json()?;
        assert_eq!(list.as_array().map(Vec::len), Some(count), "{filter:?}");
    }
    assert!(lab.worker(&["resources", "list"]).await?.stdout.contains(SESSION));
    Ok(())
}

#[tokio::test]
async fn what_is_unknown_is_said_and_exits_1() -> Result<()> {
    let lab = Lab::new().await?;
    let said = lab.worker(&["resources", "show", "session", "sesn_nobody", "--json"]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.contains("there is no session sesn_nobody"), "{}", said.stderr);
    let said = lab.worker(&["resources", "show", "toaster", "t_1"]).await?;
    assert_eq!(said.code, Some(64));
    Ok(())
}
