//! Into the dead-letter queue, and out of it.

use crate::operator;
use crate::stage::failing;
use crate::system::System;
use anyhow::{Context, Result};
use serde_json::{Value, json};

const SESSION: &str = "sesn_broken";

/// An event whose session cannot be fetched.
async fn dead_event(system: &System, id: &str) -> Result<Value> {
    system.stage.put_session(SESSION, json!({})).await?;
    system.stage.faults(json!([failing(SESSION)])).await?;
    let webhook = json!({ "id": id, "type": "session.status_idled", "session": SESSION });
    system.stage.deliver(webhook).await?;
    system.event(id, "dead").await
}

/// Generation and number of each recorded try.
fn tries(story: &Value) -> Vec<(u64, u64)> {
    let attempts = story["attempts"].as_array().into_iter().flatten();
    let number = |attempt: &Value, member: &str| attempt[member].as_u64().unwrap_or_default();
    attempts.map(|attempt| (number(attempt, "generation"), number(attempt, "number"))).collect()
}

#[tokio::test]
async fn three_failed_tries_lead_to_the_dead_letters_and_a_replay_out_of_them() -> Result<()> {
    let system = System::start().await?;
    let story = dead_event(&system, "whe_1").await?;
    assert_eq!(tries(&story), [(1, 1), (1, 2), (1, 3)]);
    for attempt in story["attempts"].as_array().context("no attempts")? {
        assert_eq!(attempt["error_class"], "transient");
        assert!(attempt["error"].as_str().is_some_and(|error| error.contains("500")), "{attempt}");
        assert!(attempt["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{attempt}");
        assert!(attempt["started_at"].as_str() <= attempt["failed_at"].as_str(), "{attempt}");
    }
    assert_eq!((&story["tries"], &story["generation"]), (&json!(3), &json!(1)));
    system.dead_messages(1).await?;

    let listed = system.ask(&["dlq", "list"]).await?;
    let letter = &listed[0];
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let fixed = [
        "event_id",
        "endpoint",
        "type",
        "created_at",
        "received_at",
        "status",
        "deliveries",
        "tries",
        "generation",
        "resource_type",
        "resource_id",
        "error_class",
        "last_error",
        "dead_at",
        "trace_id",
    ];
    for name in fixed {
        assert!(!letter[name].is_null(), "{name}: {letter}");
    }
    let shown = system.ask(&["dlq", "show", "whe_1"]).await?;
    assert_eq!((&shown["payload"]["id"], tries(&shown).len()), (&json!("whe_1"), 3));
    system.balanced().await?;

    system.stage.faults(json!([])).await?;
    let dry = system.ask(&["dlq", "replay", "whe_1", "--dry-run"]).await?;
    assert!(dry.to_string().contains("whe_1"), "{dry}");
    assert_eq!(system.event("whe_1", "dead").await?["generation"], 1, "a dry run changes nothing");
    let replay = system.ask(&["dlq", "replay", "whe_1"]).await?;
    assert_eq!((&replay["replayed"], &replay["status"]), (&json!(1), &json!("finished")), "{replay}");
    let story = system.event("whe_1", "applied").await?;
    assert_eq!((&story["generation"], &story["tries"]), (&json!(2), &json!(0)));
    assert_eq!(tries(&story).len(), 3, "the record stays");
    system.dead_messages(0).await?;
    assert_eq!(system.ask(&["dlq", "list"]).await?, json!([]));
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn a_replay_while_the_fault_lasts_dies_again_with_tries_of_its_own() -> Result<()> {
    let system = System::start().await?;
    dead_event(&system, "whe_1").await?;
    system.dead_messages(1).await?;
    for generation in 2..=3 {
        let replay = operator::worker(&system.stack, &["dlq", "replay", "--all", "--yes"]).await?;
        assert_eq!(replay.code, Some(0), "{replay:?}");
        let story = system.event("whe_1", "dead").await?;
        assert_eq!(story["generation"], generation);
        assert_eq!(tries(&story).last(), Some(&(generation, 3)));
        system.dead_messages(1).await?;
        system.balanced().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_discarded_letter_is_gone_from_the_queue_and_stays_on_record() -> Result<()> {
    let system = System::start().await?;
    dead_event(&system, "whe_1").await?;
    system.dead_messages(1).await?;
    let mute = operator::worker(&system.stack, &["dlq", "discard", "whe_1"]).await?;
    assert_eq!(mute.code, Some(64), "a reason is needed: {mute:?}");
    let discarded = system.ask(&["dlq", "discard", "whe_1", "--reason", "test traffic"]).await?;
    assert_eq!(discarded["discarded"], 1);
    system.dead_messages(0).await?;
    let story = system.event("whe_1", "discarded").await?;
    assert_eq!((&story["discard_reason"], tries(&story).len()), (&json!("test traffic"), 3));
    let again = operator::worker(&system.stack, &["dlq", "replay", "whe_1"]).await?;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("discarded"), "{again:?}");
    let ledger = system.balanced().await?;
    assert_eq!((&ledger["discarded"], &ledger["dead"]), (&json!(1), &json!(0)));
    Ok(())
}

#[tokio::test]
async fn a_fault_of_one_session_that_is_shorter_than_the_tries_kills_nothing() -> Result<()> {
    let system = System::start().await?;
    system.stage.put_session(SESSION, json!({})).await?;
    let path = format!("/v1/sessions/{SESSION}");
    let twice = json!([{ "path": path, "status": 529, "should_retry": false, "times": 2 }]);
    system.stage.faults(twice).await?;
    let webhook = json!({ "id": "whe_1", "type": "session.status_idled", "session": SESSION });
    system.stage.deliver(webhook).await?;
    let story = system.event("whe_1", "applied").await?;
    assert_eq!((&story["tries"], tries(&story)), (&json!(2), vec![(1, 1), (1, 2)]));
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn a_broken_session_does_not_hold_up_the_others() -> Result<()> {
    let system = System::start().await?;
    let order = json!({ "count": 60, "sessions": 6, "fail_session": true });
    let batch = system.stage.begin_batch(order).await?;
    let figures = system.stage.end_batch(batch).await?;
    system.all_finished(60).await?;
    let broken = figures["fault_session"].as_str().context("no broken session")?;
    let rows = "SELECT status, resource_id FROM events GROUP BY status, resource_id";
    for row in system.stack.rows(rows).await? {
        assert_eq!(row["status"] == "dead", row["resource_id"] == broken, "{row}");
    }
    system.dead_messages(10).await?;
    let stats = system.ask(&["dlq", "stats"]).await?;
    assert!(stats.to_string().contains("transient"), "{stats}");
    system.stage.faults(json!([])).await?;
    system.ask(&["dlq", "replay", "--all", "--yes"]).await?;
    system.all_finished(60).await?;
    let ledger = system.balanced().await?;
    assert_eq!(ledger["dead"], 0, "{ledger}");
    system.dead_messages(0).await
}
