//! What happens on the platform is what we show.

use crate::system::{PATIENCE, System};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::eventually;

/// Waits until we show a session exactly as the platform has it.
async fn shows_the_truth(system: &System, session: &str) -> Result<Value> {
    let truth = system.stage.truth(session).await?;
    let truth = truth.get("session").context("no session")?.clone();
    eventually(PATIENCE, "the state of the platform to be shown", async || {
        let shown = system.ask(&["resources", "show", "session", session]).await?;
        ensure!(shown["snapshot"] == truth, "{}", shown["snapshot"]);
        ensure!(shown["status"] == truth["status"], "{} {}", shown["status"], truth["status"]);
        Ok(Some(shown))
    })
    .await
}

#[tokio::test]
async fn a_session_is_shown_as_it_is_through_its_whole_life() -> Result<()> {
    let system = System::start().await?;
    let started = system.stage.play("run_started", json!({})).await?;
    let session = started["id"].as_str().context("no id")?.to_owned();
    let mut sent: Vec<Value> = Vec::new();
    sent.extend(started["webhooks"].as_array().cloned().unwrap_or_default());
    shows_the_truth(&system, &session).await?;
    let steps = [
        "turn_end",
        "requires_action",
        "updated",
        "outcome",
        "error",
        "refusal",
        "budget_reached",
        "run_started",
        "retries_exhausted",
        "archived",
    ];
    for step in steps {
        let played = system.stage.play(step, json!({ "session": session })).await?;
        for report in played["deliveries"].as_array().context("no deliveries")? {
            assert_eq!(report["outcome"], "acknowledged", "{step}: {report}");
        }
        sent.extend(played["webhooks"].as_array().cloned().unwrap_or_default());
        shows_the_truth(&system, &session).await?;
    }
    system.all_finished(sent.len() as u64).await?;
    let shown = shows_the_truth(&system, &session).await?;
    assert_eq!(shown["status"], "terminated");

    let history = shown["history"].as_array().context("no history")?;
    let ids = |list: &[Value], member: &str| {
        let ids = list.iter().filter_map(|entry| entry[member].as_str().map(str::to_owned));
        ids.collect::<BTreeSet<String>>()
    };
    assert_eq!((ids(history, "event_id"), history.len()), (ids(&sent, "id"), sent.len()));
    assert!(history.is_sorted_by_key(|entry| entry["created_at"].as_str().map(str::to_owned)), "{history:?}");
    assert_eq!(shown["last_event"], history.last().context("empty")?["event_id"]);

    let effects = shown["effects"].as_array().context("no effects")?;
    let of_kind = |kind: &str| effects.iter().filter(|effect| effect["kind"] == kind).count();
    // Refusal and exhausted retries are seen in the snapshot, the budget has an event of its own.
    assert_eq!((of_kind("alert"), of_kind("review"), of_kind("archive")), (3, 1, 1), "{effects:?}");
    assert!(effects.iter().all(|effect| effect["kind"] != "review" || effect["standing"] == "obsolete"));
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn a_deletion_that_comes_before_what_it_deletes_stays_the_last_word() -> Result<()> {
    let system = System::start().await?;
    let deliver = async |id: &str, kind: &str, at: &str| {
        let webhook = json!({ "id": id, "type": kind, "session": "sesn_1", "created_at": at });
        system.stage.deliver(webhook).await
    };
    // The session does not exist on the platform any more, whatever is delivered.
    deliver("whe_deleted", "session.deleted", "2026-11-22T10:00:02Z").await?;
    system.event("whe_deleted", "applied").await?;
    deliver("whe_archived", "session.archived", "2026-11-22T10:00:01Z").await?;
    deliver("whe_late", "session.status_idled", "2026-11-22T10:00:09Z").await?;
    for id in ["whe_archived", "whe_late"] {
        let story = system.event(id, "superseded").await?;
        assert_eq!((&story["tries"], &story["attempts"]), (&json!(0), &json!([])));
    }
    let shown = system.ask(&["resources", "show", "session", "sesn_1"]).await?;
    assert_eq!(shown["status"], "deleted");
    let history: Vec<&str> = shown["history"]
        .as_array()
        .context("no history")?
        .iter()
        .filter_map(|entry| entry["event_id"].as_str())
        .collect();
    assert_eq!(history, ["whe_archived", "whe_deleted", "whe_late"]);
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn an_event_whose_session_is_gone_is_tried_until_the_deletion_explains_it() -> Result<()> {
    let system = System::start().await?;
    let at = "2026-11-22T10:00:01Z";
    let idled =
        json!({ "id": "whe_idled", "type": "session.status_idled", "session": "sesn_1", "created_at": at });
    system.stage.deliver(idled).await?;
    eventually(PATIENCE, "a first failed try", async || {
        Ok((system.stack.number("SELECT count(*) AS number FROM attempts").await? > 0).then_some(()))
    })
    .await?;
    let deleted = json!({ "id": "whe_deleted", "type": "session.deleted", "session": "sesn_1" });
    system.stage.deliver(deleted).await?;
    let story = system.event("whe_idled", "superseded").await?;
    let attempts = story["attempts"].as_array().context("no attempts")?;
    assert!(attempts.iter().all(|attempt| attempt["error_class"] == "gone"), "{attempts:?}");
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn events_of_threads_show_their_thread_and_their_session() -> Result<()> {
    let system = System::start().await?;
    let played = system.stage.play("thread_lifecycle", json!({})).await?;
    let session = played["id"].as_str().context("no id")?;
    let webhooks = played["webhooks"].as_array().context("no webhooks")?.len() as u64;
    system.all_finished(webhooks).await?;
    let truth = system.stage.truth(session).await?;
    let threads = truth["threads"].as_array().context("no threads")?;
    let child = threads.iter().find(|thread| !thread["parent_thread_id"].is_null()).context("no child")?;
    let id = child["id"].as_str().context("no id")?;
    let shown = system.ask(&["resources", "show", "session_thread", id]).await?;
    assert_eq!((&shown["status"], &shown["parent_id"]), (&child["status"], &json!(session)));
    assert_eq!(shown["history"].as_array().map(Vec::len), Some(3));

    // Without the thread's id it is news of the session.
    let webhook = json!({ "id": "whe_1", "type": "session.thread_idled", "session": session });
    system.stage.deliver(webhook).await?;
    let story = system.event("whe_1", "applied").await?;
    assert_eq!((&story["resource_type"], &story["resource_id"]), (&json!("session"), &json!(session)));
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn classic_events_carry_their_own_state() -> Result<()> {
    let system = System::start().await?;
    let send = async |id: &str, kind: &str, at: &str| {
        let data = json!({ "id": "msg_abc123" });
        let webhook = json!({ "id": id, "type": kind, "dialect": "classic", "data": data, "created_at": at });
        system.stage.deliver(webhook).await
    };
    send("evt_denied", "content_moderation.denied", "2026-11-22T10:00:01Z").await?;
    send("evt_created", "message.created", "2026-11-22T10:00:00Z").await?;
    send("evt_unknown", "message.flagged_again", "2026-11-22T10:00:05Z").await?;
    system.event("evt_denied", "applied").await?;
    system.event("evt_unknown", "ignored").await?;
    eventually(PATIENCE, "both events", async || Ok((system.finished().await? == 3).then_some(()))).await?;
    let shown = system.ask(&["resources", "show", "message", "msg_abc123"]).await?;
    assert_eq!((&shown["status"], &shown["snapshot_source"]), (&json!("denied"), &json!("payload")));
    assert_eq!(shown["snapshot"]["moderation_results"][0]["blocked_categories"], json!(["sexual"]));
    let effects = shown["effects"].as_array().context("no effects")?;
    assert_eq!(
        (effects.len(), &effects[0]["kind"], &effects[0]["key"]),
        (1, &json!("alert"), &json!("evt_denied"))
    );
    system.balanced().await?;
    Ok(())
}
