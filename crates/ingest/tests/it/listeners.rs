//! The public listener and the internal one.

use crate::bench::{Bench, PATIENCE};
use anyhow::Result;
use serde_json::{Value, json};
use std::net::TcpListener;
use testkit::clock::real_now;
use testkit::process::{free_port, run};
use testkit::{broker, payload};

#[tokio::test]
async fn health_and_metrics_are_on_the_internal_listener_only() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let json = |text: &str| serde_json::from_str::<Value>(text);
    let (status, live) = ingest.internal("/livez").await?;
    assert_eq!((status, json(&live)?), (200, json!({ "status": "live" })));
    let (status, ready) = ingest.internal("/readyz").await?;
    assert_eq!((status, json(&ready)?), (200, json!({ "status": "ready" })));
    assert_eq!(ingest.internal("/metrics").await?.0, 200);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(reqwest::get(ingest.url(path)).await?.status().as_u16(), 404, "{path}");
    }
    for path in ["/webhooks/default", "/claude-webhook"] {
        let posted = reqwest::Client::builder().build()?.post(ingest.internal_url(path)).send().await?;
        assert_eq!(posted.status().as_u16(), 404, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn deliveries_are_counted_by_what_they_were_answered() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let body = payload::message_created("evt_1", "msg_1", real_now());
    for _ in 0..3 {
        ingest.sender.deliver("evt_1", &body).await?;
    }
    ingest.sender.deliver("evt_2", &json!({})).await?;
    let (_, metrics) = ingest.internal("/metrics").await?;
    for (outcome, count) in [("accepted", 1), ("duplicate", 2), ("invalid_event", 1)] {
        let line = format!("ingest_deliveries_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "no {line:?} in {metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_ends_the_process_with_the_setting_to_change() -> Result<()> {
    let bench = Bench::new().await?;
    let taken = TcpListener::bind(("127.0.0.1", 0))?;
    let taken = taken.local_addr()?.to_string();
    for (setting, other) in
        [("HOLDFAST_LISTEN", "HOLDFAST_INTERNAL_LISTEN"), ("HOLDFAST_INTERNAL_LISTEN", "HOLDFAST_LISTEN")]
    {
        let held = TcpListener::bind(&taken);
        let free = format!("127.0.0.1:{}", free_port()?);
        let (database, amqp) = (bench.database.url(), broker::url()?);
        let environment = [
            ("DATABASE_URL", database.as_str()),
            ("AMQP_URL", &amqp),
            ("ANTHROPIC_WEBHOOK_SIGNING_KEY", &bench.secret),
            (setting, &taken),
            (other, &free),
        ];
        let output = run("ingest", &[], &environment, PATIENCE).await?;
        drop(held);
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(setting) && said.contains(&taken), "{said}");
    }
    Ok(())
}
