//! A store that goes away under a running system.

use crate::stack::Stack;
use crate::system::{PATIENCE, System};
use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;
use testkit::proxy::TcpProxy;
use testkit::{broker, eventually};

const EVENTS: u64 = 30;

#[tokio::test]
async fn events_accepted_by_rabbitmq_alone_are_stored_and_applied_when_postgres_is_back() -> Result<()> {
    let mut stack = Stack::new().await?;
    let direct = stack.database.url();
    let (postgres, through) = TcpProxy::start_before(&direct).await?;
    stack.set("DATABASE_URL", through);
    let mut system = System::start_on(stack).await?;
    // Also makes sure that ingest is connected to both stores.
    let batch = system.stage.begin_batch(json!({ "count": EVENTS, "sessions": 3 })).await?;
    system.stage.end_batch(batch).await?;
    system.all_finished(EVENTS).await?;

    postgres.cut();
    let order = json!({ "count": EVENTS, "sessions": 3, "duplicates": 0.5 });
    let batch = system.stage.begin_batch(order).await?;
    let figures = system.stage.end_batch(batch).await?;
    assert_eq!(figures["unexpected"], 0, "{figures}");
    assert_eq!(system.finished().await?, EVENTS, "the test's own connection does not go through the proxy");
    postgres.heal();
    system.all_finished(2 * EVENTS).await?;
    // The operator's commands of `balanced` do not need the proxy.
    system.stack.set("DATABASE_URL", direct);
    let ledger = system.balanced().await?;
    assert_eq!((&ledger["accepted"], &ledger["dead"]), (&json!(2 * EVENTS), &json!(0)));
    Ok(())
}

/// Waits until Postgres has accepted some more events (one alone may have been under way when a connection broke), and
/// ingest is connected to RabbitMQ; or until the batch is at its end.
async fn both_take_events(system: &System, batch: u64) -> Result<()> {
    let accepted = "SELECT coalesce(max(id), 0) AS number FROM events WHERE source = 'webhook'";
    let before = system.stack.number(accepted).await?;
    let ingest = system.ingests.first().context("no ingest")?;
    eventually(PATIENCE, "both stores to take events", async || {
        let connected = ingest.metric("broker_connected{direction=\"publish\"}").await?;
        let progress = system.stage.control(Method::GET, &format!("/send/{batch}"), json!({})).await?;
        if progress["done"] == true {
            return Ok(Some(()));
        }
        Ok((connected > 0.5 && system.stack.number(accepted).await? > before + 10).then_some(()))
    })
    .await
}

#[tokio::test]
async fn connections_that_break_all_the_time_cost_time_and_no_event() -> Result<()> {
    let mut stack = Stack::new().await?;
    let direct = stack.database.url();
    let (postgres, database_url) = TcpProxy::start_before(&direct).await?;
    let (rabbitmq, amqp_url) = TcpProxy::start_before(&broker::url()?).await?;
    stack.set("DATABASE_URL", database_url);
    stack.set("AMQP_URL", amqp_url);
    let mut system = System::start_on(stack).await?;
    let order = json!({ "count": 10 * EVENTS, "sessions": 20, "shuffle": true, "rate": 60.0 });
    let batch = system.stage.begin_batch(order).await?;
    for _ in 0..3 {
        // Never both at once: then a delivery may rightly be refused.
        both_take_events(&system, batch).await?;
        rabbitmq.drop_connections();
        both_take_events(&system, batch).await?;
        postgres.drop_connections();
    }
    let figures = system.stage.end_batch(batch).await?;
    assert_eq!(figures["unexpected"], 0, "{figures}");
    system.all_finished(10 * EVENTS).await?;
    system.stack.set("DATABASE_URL", direct);
    let ledger = system.balanced().await?;
    assert_eq!(ledger["dead"], 0, "{ledger}");
    Ok(())
}
