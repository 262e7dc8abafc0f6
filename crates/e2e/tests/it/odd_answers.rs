//! An API that answers in ways that nobody has foreseen.

use crate::system::{PATIENCE, System};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::eventually;

fn nested(levels: u32) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
}

#[tokio::test]
async fn odd_objects_are_shown_as_they_are() -> Result<()> {
    let system = System::start().await?;
    let table = [
        ("sesn_status", json!({ "status": "pondering" })),
        ("sesn_empty", json!({ "status": "" })),
        ("sesn_text", json!({ "title": "\u{0} \u{feff} \u{1f980} '\"\\ \u{202e}" })),
        ("sesn_large", json!({ "metadata": { "text": "x".repeat(2_000_000) } })),
        ("sesn_members", json!({ "future": { "member": [1, 2.5, null] }, "budget": { "limit": 1e300 } })),
        ("sesn_deep", json!({ "metadata": nested(100) })),
        ("sesn_null", json!({ "title": null, "environment_id": null, "archived_at": null })),
        ("sesn_agentless", json!({ "agent": { "id": null, "name": null, "version": null } })),
    ];
    for (session, members) in &table {
        system.stage.put_session(session, members.clone()).await?;
        let webhook =
            json!({ "id": format!("whe_{session}"), "type": "session.updated", "session": session });
        system.stage.deliver(webhook).await?;
    }
    system.all_finished(table.len() as u64).await?;
    for (session, _) in &table {
        let truth = system.stage.truth(session).await?;
        let shown = system.ask(&["resources", "show", "session", session]).await?;
        assert!(shown["snapshot"] == truth["session"], "{session}");
        assert_eq!(shown["status"], truth["session"]["status"], "{session}");
    }
    let ledger = system.balanced().await?;
    assert_eq!(ledger["dead"], 0, "{ledger}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_stored_or_read_dies_alone_and_says_why() -> Result<()> {
    let system = System::start().await?;
    let table = [
        ("sesn_nul", json!({ "status": "nul\u{0}" })),
        ("sesn_time", json!({ "updated_at": "yesterday" })),
        ("sesn_no_status", json!({ "status": null })),
        ("sesn_too_deep", json!({ "metadata": nested(1_000) })),
    ];
    for (session, members) in &table {
        // A simulator that cannot read the members itself has nothing to serve.
        if system.stage.put_session(session, members.clone()).await.is_err() {
            continue;
        }
        let webhook =
            json!({ "id": format!("whe_{session}"), "type": "session.updated", "session": session });
        system.stage.deliver(webhook).await?;
    }
    system.stage.put_session("sesn_fine", json!({})).await?;
    system
        .stage
        .deliver(json!({ "id": "whe_fine", "type": "session.updated", "session": "sesn_fine" }))
        .await?;
    system.event("whe_fine", "applied").await?;
    eventually(PATIENCE, "nothing pending", async || {
        let pending = "SELECT count(*) AS number FROM events WHERE status = 'pending'";
        Ok((system.stack.number(pending).await? == 0).then_some(()))
    })
    .await?;
    let events = system.ask(&["events", "list"]).await?;
    for event in events.as_array().context("no list")? {
        let says_why = event["last_error"].as_str().is_some_and(|error| error.len() > 10);
        assert!(event["status"] == "applied" || (event["status"] == "dead" && says_why), "{event}");
    }
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn broken_answers_cost_a_try_at_most_and_the_event_applies_when_they_are_mended() -> Result<()> {
    let system = System::start().await?;
    let broken = [
        json!({ "body": "html" }),
        json!({ "body": "truncated" }),
        json!({ "body": "cut" }),
        json!({ "body": "empty" }),
        json!({ "status": 502, "body": "html", "should_retry": false }),
        json!({ "status": 529, "body": "empty", "should_retry": false }),
    ];
    let mut rules = Vec::new();
    for (number, how) in broken.iter().enumerate() {
        let session = format!("sesn_{number}");
        system.stage.put_session(&session, json!({})).await?;
        let mut rule = how.clone();
        rule["times"] = json!(1);
        rule["path"] = json!(format!("/v1/sessions/{session}"));
        rules.push(rule);
    }
    system.stage.faults(json!(rules)).await?;
    for number in 0..broken.len() {
        let webhook = json!({ "id": format!("whe_{number}"), "type": "session.updated", "session": format!("sesn_{number}") });
        system.stage.deliver(webhook).await?;
    }
    for (number, how) in broken.iter().enumerate() {
        let story = system.event(&format!("whe_{number}"), "applied").await?;
        let tries = story["tries"].as_u64().context("no tries")?;
        // What may have been lost on the way is asked for again in place, which is no try of its own.
        assert!(tries <= 1, "{how}: {tries} {}", story["attempts"]);
        let attempts = story["attempts"].as_array().context("no attempts")?;
        assert!(attempts.iter().all(|attempt| attempt["error_class"] == "transient"), "{how}: {attempts:?}");
    }
    system.balanced().await?;
    Ok(())
}
