//! A key that the API refuses is a person's business and costs no event a try.

use crate::system::{PATIENCE, System};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::eventually;

#[tokio::test]
async fn with_a_wrong_key_events_wait_and_with_the_right_one_they_apply() -> Result<()> {
    let mut system = System::start().await?;
    let worker = system.workers.first_mut().context("no worker")?;
    worker.kill()?;
    let right = system.stack.api_key.clone();
    system.stack.set("ANTHROPIC_API_KEY", "sk-ant-wrong");
    worker.restart(&system.stack).await?;
    for number in 0..3 {
        let session = format!("sesn_{number}");
        system.stage.put_session(&session, json!({})).await?;
        let webhook =
            json!({ "id": format!("whe_{number}"), "type": "session.status_idled", "session": session });
        system.stage.deliver(webhook).await?;
    }
    // More refusals than there are tries, one by one.
    eventually(PATIENCE, "many refusals", async || {
        let worker = system.workers.first().context("no worker")?;
        let refused = worker.metric("worker_pauses_total{cause=\"configuration\"}").await?;
        ensure!(refused > 3.5, "{refused}");
        Ok(Some(()))
    })
    .await?;
    let logs = system.workers.first().context("no worker")?.logs()?;
    assert!(logs.contains("give a valid key as ANTHROPIC_API_KEY"), "{logs}");
    let pending =
        system.stack.rows("SELECT status, tries, generation, count(*) FROM events GROUP BY 1, 2, 3").await?;
    assert_eq!(pending, [json!({ "status": "pending", "tries": 0, "generation": 1, "count": 3 })]);
    let shown = system.ask(&["events", "show", "whe_0"]).await?;
    assert_eq!(shown["error_class"], "configuration", "{shown}");

    system.stack.set("ANTHROPIC_API_KEY", right);
    system.crash_worker(0).await?;
    for number in 0..3 {
        let story = system.event(&format!("whe_{number}"), "applied").await?;
        assert_eq!(story["tries"], 0);
    }
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn being_throttled_costs_no_try_either() -> Result<()> {
    let system = System::start().await?;
    system.stage.put_session("sesn_1", json!({})).await?;
    // More often than an event has tries, retries in place included.
    let often = json!([{ "path": "/v1/sessions", "status": 429, "should_retry": false, "times": 4 }]);
    system.stage.faults(often).await?;
    let webhook = json!({ "id": "whe_1", "type": "session.status_idled", "session": "sesn_1" });
    system.stage.deliver(webhook).await?;
    let story = system.event("whe_1", "applied").await?;
    assert_eq!(story["tries"], 0);
    system.balanced().await?;
    Ok(())
}
