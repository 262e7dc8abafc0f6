//! One trace per event, from its first delivery through all its tries and lives.

use crate::collector::Collector;
use crate::message::header;
use crate::stack::Stack;
use crate::stage::failing;
use crate::system::{PATIENCE, System};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use signing::Secret;
use testkit::clock::{real_now, unix_seconds};
use testkit::{Deliverer, broker, eventually, payload};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The id as the bytes that the exporter sends.
fn trace_bytes() -> Result<Vec<u8>> {
    (0..TRACE.len())
        .step_by(2)
        .map(|at| {
            let digits = TRACE.get(at..at + 2).context("an odd number of digits")?;
            Ok(u8::from_str_radix(digits, 16)?)
        })
        .collect()
}

/// The values of a field in the log lines that belong to the trace.
fn field(logs: &str, name: &str) -> Vec<Value> {
    logs.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["trace_id"] == TRACE)
        .map(|line| line[name].clone())
        .filter(|value| !value.is_null())
        .collect()
}

async fn deliver_traced(system: &System, id: &str, session: &str) -> Result<()> {
    let ingest = system.ingests.first().context("no ingest")?;
    let sender = Deliverer::new(ingest.webhook_url(), &system.stack.secret)?;
    let body = payload::platform(id, "session.status_idled", session, real_now()).to_string();
    let now = unix_seconds();
    let signature = signing::sign(&Secret::parse(&system.stack.secret)?, id, now, body.as_bytes());
    let (now, traceparent) = (now.to_string(), format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", &now),
        ("webhook-signature", &signature),
        ("traceparent", &traceparent),
    ];
    let answer = sender.post(&headers, body).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn one_trace_leads_from_the_delivery_through_tries_dead_letters_and_replay() -> Result<()> {
    let collector = Collector::start()?;
    let mut stack = Stack::new().await?;
    stack.set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    stack.set("RUST_LOG", "debug");
    let system = System::start_on(stack).await?;
    system.stage.put_session("sesn_1", json!({})).await?;
    system.stage.faults(json!([failing("sesn_1")])).await?;
    deliver_traced(&system, "whe_1", "sesn_1").await?;
    let story = system.event("whe_1", "dead").await?;
    assert_eq!(story["trace_id"], TRACE);
    system.dead_messages(1).await?;
    let messages = broker::get_all(&system.stack.queues.dead()).await?;
    let traceparent = header(messages.first().context("no message")?, "traceparent");
    assert!(traceparent.is_some_and(|value| value.starts_with(&format!("00-{TRACE}-"))));

    system.stage.faults(json!([])).await?;
    system.ask(&["dlq", "replay", "whe_1"]).await?;
    assert_eq!(system.event("whe_1", "applied").await?["trace_id"], TRACE);
    let logs = system.workers.first().context("no worker")?.logs()?;
    assert_eq!(field(&logs, "delivery.attempt"), [1, 2, 3], "{logs}");
    assert_eq!(field(&logs, "status"), ["applied"], "{logs}");
    assert!(field(&logs, "generation").contains(&json!(2)), "{logs}");

    let trace = trace_bytes()?;
    for (service, span) in [
        ("ingest", "ingest.delivery.receive"),
        ("worker", "worker.event.process"),
        ("worker", "claude.request"),
    ] {
        eventually(PATIENCE, &format!("the span {span} of {service}"), async || {
            Ok(collector.has(&[&trace, service.as_bytes(), span.as_bytes()]).then_some(()))
        })
        .await?;
    }
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn a_collector_that_is_away_changes_nothing_else() -> Result<()> {
    let mut stack = Stack::new().await?;
    stack.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let mut system = System::start_on(stack).await?;
    system.stage.put_session("sesn_1", json!({})).await?;
    deliver_traced(&system, "whe_1", "sesn_1").await?;
    system.event("whe_1", "applied").await?;
    system.balanced().await?;
    let worker = system.workers.first_mut().context("no worker")?;
    worker.process.sigterm()?;
    assert_eq!(worker.process.wait_exit(PATIENCE).await?.code(), Some(0));
    Ok(())
}
