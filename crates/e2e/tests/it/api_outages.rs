//! An API that goes away under a running system.

use crate::stage::failing;
use crate::system::{PATIENCE, System};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::eventually;

const EVENTS: u64 = 60;

/// The rests between tries are a fifth and two fifths of a second here, so every event that came back would have died.
#[tokio::test]
async fn an_outage_of_the_api_costs_time_and_no_tries() -> Result<()> {
    let system = System::start().await?;
    let worker = system.workers.first().context("no worker")?;
    system.stage.faults(json!([{ "path": "/v1", "status": 503, "should_retry": false }])).await?;
    let batch = system.stage.begin_batch(json!({ "count": EVENTS, "sessions": 30 })).await?;
    let figures = system.stage.end_batch(batch).await?;
    assert_eq!(figures["unexpected"], 0, "{figures}");
    eventually(PATIENCE, "failed probes", async || {
        let pauses = worker.metric("worker_pauses_total{cause=\"away\"}").await?;
        ensure!(pauses > 3.5, "{pauses}");
        Ok(Some(()))
    })
    .await?;
    assert!(worker.metric("worker_paused{cause=\"away\"}").await? > 0.5);
    // On a busy machine RabbitMQ alone may have accepted some; those are stored when they are processed.
    let standing = system.stack.rows("SELECT DISTINCT status, tries FROM events").await?;
    assert_eq!(standing, [json!({ "status": "pending", "tries": 0 })]);

    system.stage.faults(json!([])).await?;
    system.all_finished(EVENTS).await?;
    assert!(worker.metric("worker_paused{cause=\"away\"}").await? < 0.5);
    assert_eq!(system.stack.number("SELECT count(*) AS number FROM attempts").await?, 0);
    let ledger = system.balanced().await?;
    assert_eq!(ledger["dead"], 0, "{ledger}");
    Ok(())
}

#[tokio::test]
async fn a_session_that_stays_broken_after_an_outage_dies_and_the_others_apply() -> Result<()> {
    const SESSION: &str = "sesn_broken";
    let system = System::start().await?;
    let worker = system.workers.first().context("no worker")?;
    let away = json!({ "path": "/v1", "status": 500, "should_retry": false });
    system.stage.faults(json!([away])).await?;
    let sessions = [SESSION, "sesn_1", "sesn_2"];
    for session in sessions {
        system.stage.put_session(session, json!({})).await?;
        let webhook =
            json!({ "id": format!("whe_{session}"), "type": "session.status_idled", "session": session });
        system.stage.deliver(webhook).await?;
    }
    eventually(PATIENCE, "a failed probe", async || {
        let pauses = worker.metric("worker_pauses_total{cause=\"away\"}").await?;
        ensure!(pauses > 1.5, "{pauses}");
        Ok(Some(()))
    })
    .await?;
    system.stage.faults(json!([failing(SESSION)])).await?;
    let story = system.event(&format!("whe_{SESSION}"), "dead").await?;
    assert_eq!(story["tries"], 3);
    for session in ["sesn_1", "sesn_2"] {
        assert_eq!(system.event(&format!("whe_{session}"), "applied").await?["tries"], 0);
    }
    system.balanced().await?;
    Ok(())
}
