//! Ingest processes that die.

use crate::stack::Stack;
use crate::system::{PATIENCE, System};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::proxy::TcpProxy;
use testkit::{broker, eventually};

/// The acknowledged events that are not in their final state.
async fn unfinished(system: &System) -> Result<Vec<String>> {
    let rows = system.stack.rows("SELECT event_id FROM events WHERE status <> 'pending'").await?;
    let finished: BTreeSet<&str> = rows.iter().filter_map(|row| row["event_id"].as_str()).collect();
    let acknowledged = system.stage.acknowledged().await?;
    Ok(acknowledged.into_iter().filter(|id| !finished.contains(id.as_str())).collect())
}

#[tokio::test]
async fn what_was_acknowledged_before_a_crash_is_finished_after_it() -> Result<()> {
    const EVENTS: u64 = 400;
    const ROUNDS: u64 = 5;
    let mut system = System::start().await?;
    let order = json!({ "count": EVENTS, "sessions": 40, "rate": 150.0 });
    let batch = system.stage.begin_batch(order).await?;
    for round in 1..=ROUNDS {
        eventually(PATIENCE, "deliveries", async || {
            let stored = system.stack.number("SELECT count(*) AS number FROM events").await?;
            let path = format!("/send/{batch}");
            let batch = system.stage.control(reqwest::Method::GET, &path, json!({})).await?;
            // Deliveries that run out of attempts while nobody listens are not stored.
            Ok((stored >= round * EVENTS / 2 / ROUNDS || batch["done"] == true).then_some(()))
        })
        .await?;
        system.crash_ingest(0).await?;
    }
    system.stage.end_batch(batch).await?;
    let acknowledged = system.stage.acknowledged().await?.len();
    assert!(acknowledged > 100, "{acknowledged}");
    eventually(PATIENCE, "all acknowledged events to be finished", async || {
        let left = unfinished(&system).await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(Some(()))
    })
    .await?;
    let stored = system.stack.number("SELECT count(*) AS number FROM events").await?;
    system.all_finished(stored).await?;
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn what_was_acknowledged_without_a_broker_survives_a_crash_and_is_published_by_the_next() -> Result<()>
{
    const EVENTS: u64 = 20;
    let mut stack = Stack::new().await?;
    let (rabbitmq, through) = TcpProxy::start_before(&broker::url()?).await?;
    stack.set("AMQP_URL", through);
    let mut system = System::start_on(stack).await?;
    rabbitmq.cut();
    let batch = system.stage.begin_batch(json!({ "count": EVENTS, "sessions": 5 })).await?;
    let figures = system.stage.end_batch(batch).await?;
    assert_eq!((&figures["acknowledged"], &figures["unexpected"]), (&json!(EVENTS), &json!(0)), "{figures}");
    assert_eq!(system.finished().await?, 0);
    let outbox = "SELECT coalesce(sum(cardinality(events)), 0)::bigint AS number FROM bundles";
    assert_eq!(system.stack.number(outbox).await?, EVENTS);
    system.crash_ingest(0).await?;
    assert_eq!(system.stack.number(outbox).await?, EVENTS);
    rabbitmq.heal();
    system.all_finished(EVENTS).await?;
    assert_eq!(unfinished(&system).await?, Vec::<String>::new());
    let late = system.stack.rows("SELECT DISTINCT deliveries FROM events").await?;
    assert_eq!(late, [json!({ "deliveries": 1 })]);
    let ledger: Value = system.balanced().await?;
    assert_eq!(ledger["accepted"], EVENTS);
    Ok(())
}
