//! `worker resources` about messages of classic events.

use crate::lab::Lab;
use anyhow::{Context, Result};
use domain::{Message, ResourceKind, ResourceRef, ResourceState, Snapshot, SnapshotSource};
use serde_json::{Value, json};
use store::NewState;
use testkit::clock::real_now;

/// Writes messages as a worker would.
async fn write_messages(lab: &Lab, messages: &[Value]) -> Result<()> {
    for data in messages {
        let id = data["id"].as_str().context("no id")?.to_owned();
        let resource = ResourceRef { kind: ResourceKind::Message, id, parent_id: None };
        let snapshot = Snapshot {
            body: data.to_string(),
            status: Some("denied".to_owned()),
            updated_at: None,
            fetched_at: real_now(),
            source: SnapshotSource::Payload,
            waiting: None,
        };
        let state = ResourceState { snapshot: Some(snapshot), ..ResourceState::default() };
        let mut tx = lab.store.begin("test").await?;
        store::lock_states(&mut tx, &[&resource]).await?;
        store::save_states(&mut tx, &[NewState { resource: &resource, workspace_id: None, state: &state }])
            .await?;
        let message = Message::read(&data.to_string());
        // Twice, as by two events; the second one says it all.
        let older = Message { blocked_categories: vec!["spam".to_owned()], ..Message::default() };
        store::save_messages(&mut tx, &[(resource.id.as_str(), older)]).await?;
        store::save_messages(&mut tx, &[(resource.id.as_str(), message)]).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn denied(id: &str, level: &str, blocked: &[&str]) -> Value {
    json!({
        "id": id, "model": "claude-test", "prompt_tokens": 150, "response_tokens": 50,
        "moderation_results": [{
            "flagged_by": "content_policy", "level": level, "blocked_categories": blocked,
            "scored_categories": { "sexual": "high", "self_harm": "low" },
        }],
    })
}

#[tokio::test]
async fn messages_are_listed_with_what_moderation_said_and_found_by_it() -> Result<()> {
    let lab = Lab::new().await?;
    let messages = [
        denied("msg_1", "high", &["sexual"]),
        denied("msg_2", "medium", &["sexual", "violence"]),
        json!({ "id": "msg_3", "model": "claude-test" }),
    ];
    write_messages(&lab, &messages).await?;
    let all = lab.worker(&["resources", "list", "--type", "message", "--json"]).await?.json()?;
    let first =
        all.as_array().context("no list")?.iter().find(|row| row["id"] == "msg_1").context("no row")?;
    assert_eq!((&first["type"], &first["status"]), (&json!("message"), &json!("denied")));
    assert_eq!((&first["model"], &first["prompt_tokens"]), (&json!("claude-test"), &json!(150)));
    assert_eq!((&first["flagged_by"], &first["levels"]), (&json!(["content_policy"]), &json!(["high"])));
    assert_eq!(first["scored_categories"], json!({ "sexual": "high", "self_harm": "low" }));
    for (filter, expected) in [
        (&["--blocked", "sexual"][..], &["msg_1", "msg_2"][..]),
        (&["--blocked", "violence"], &["msg_2"]),
        (&["--level", "high"], &["msg_1"]),
        (&["--level", "high", "--blocked", "violence"], &[]),
        (&["--type", "message", "--status", "denied"], &["msg_1", "msg_2", "msg_3"]),
        (&["--blocked", "spam"], &[]),
    ] {
        let list = lab.worker(&[&["resources", "list", "--json"], filter].concat()).await?.json()?;
        let ids = list.as_array().context("no list")?.iter().filter_map(|row| row["id"].as_str());
        assert_eq!(ids.collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let text = lab.worker(&["resources", "list", "--blocked", "violence"]).await?.stdout;
    for part in ["msg_2", "150 + 50", "sexual, violence", "medium"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = lab.worker(&["resources", "show", "message", "msg_1"]).await?.stdout;
    for part in ["claude-test", "150 + 50", "content_policy", "self_harm low, sexual high"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn filters_of_messages_are_for_messages_only() -> Result<()> {
    let lab = Lab::new().await?;
    let said = lab.worker(&["resources", "list", "--type", "vault", "--level", "high"]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""));
    assert!(said.stderr.contains("leave out --type vault"), "{}", said.stderr);
    let said = lab.worker(&["resources", "list", "--level", "high"]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "no messages\n"));
    Ok(())
}
