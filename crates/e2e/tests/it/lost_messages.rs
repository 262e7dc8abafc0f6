//! RabbitMQ loses messages, and the system notices by itself.

use crate::node::Role;
use crate::stack::Stack;
use crate::system::{PATIENCE, System};
use anyhow::{Result, ensure};
use lapin::options::QueuePurgeOptions;
use lapin::{Connection, ConnectionProperties};
use serde_json::json;
use testkit::{broker, eventually};

const EVENTS: u64 = 40;

async fn purge(queue: &str) -> Result<u32> {
    let connection = Connection::connect(&broker::url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let purged = channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
    connection.close(200, "done".into()).await?;
    Ok(purged)
}

#[tokio::test]
async fn events_whose_messages_were_purged_are_applied_after_the_next_audit() -> Result<()> {
    let mut stack = Stack::new().await?;
    stack.set("HOLDFAST_AUDIT_INTERVAL", "1s");
    let mut system = System::without_processes(stack).await?;
    system.add(Role::Ingest).await?;
    let batch = system.stage.begin_batch(json!({ "count": EVENTS, "sessions": 4 })).await?;
    system.stage.end_batch(batch).await?;
    let outbox = "SELECT (SELECT count(*) FROM bundles) + count(*) AS number FROM outbox";
    eventually(PATIENCE, "everything published", async || {
        let left = system.stack.number(outbox).await?;
        ensure!(left == 0, "{left} are left");
        Ok(Some(()))
    })
    .await?;
    // Some of them travel together.
    assert!((1..=EVENTS).contains(&u64::from(purge(&system.stack.queues.work()).await?)));

    system.add(Role::Worker).await?;
    system.all_finished(EVENTS).await?;
    let audited = system.ask(&["audit"]).await?;
    assert_eq!((&audited["accounted"], &audited["ledger"]["accepted"]), (&json!(true), &json!(EVENTS)));
    let requeued =
        audited["rounds"].as_array().into_iter().flatten().find(|round| round["outcome"] == "requeued");
    assert_eq!(requeued.map(|round| &round["requeued"]), Some(&json!(EVENTS)), "{audited}");
    Ok(())
}
