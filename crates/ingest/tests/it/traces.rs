//! The trace of a delivery goes on in the stored event, and never together with what is secret.

use crate::bench::Bench;
use anyhow::{Context, Result};
use signing::Secret;
use testkit::clock::{real_now, unix_seconds};
use testkit::payload;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn stored_traceparent(bench: &Bench, id: &str) -> Result<String> {
    let rows = bench.rows(&format!("SELECT traceparent FROM events WHERE event_id = '{id}'")).await?;
    let stored = rows.first().and_then(|row| row["traceparent"].as_str()).context("nothing stored")?;
    Ok(stored.to_owned())
}

#[tokio::test]
async fn the_senders_trace_goes_on_and_a_delivery_without_one_begins_its_own() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[("RUST_LOG", "debug")]).await?;
    let secret = Secret::parse(&bench.secret)?;
    let table = [
        ("evt_continued", Some(format!("00-{TRACE}-b7ad6b7169203331-01")), true),
        ("evt_invalid", Some(format!("00-{TRACE}-0000000000000000-01")), false),
        ("evt_nonsense", Some("nonsense".to_owned()), false),
        ("evt_alone", None, false),
    ];
    for (id, traceparent, continued) in &table {
        let body = payload::message_created(id, "msg_1", real_now()).to_string();
        let now = unix_seconds();
        let signature = signing::sign(&secret, id, now, body.as_bytes());
        let now = now.to_string();
        let mut headers =
            vec![("webhook-id", *id), ("webhook-timestamp", &now), ("webhook-signature", &signature)];
        headers.extend(traceparent.as_deref().map(|value| ("traceparent", value)));
        assert_eq!(ingest.sender.post(&headers, body).await?.status, 200);
        let stored = stored_traceparent(&bench, id).await?;
        let parts: Vec<&str> = stored.split('-').collect();
        assert_eq!((parts.len(), parts[1].len()), (4, 32), "{id}: {stored}");
        assert_eq!(parts[1] == TRACE, *continued, "{id}: {stored}");
        assert_ne!(parts[2], "b7ad6b7169203331", "the span is our own");
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_delivery_is_logged_with_its_trace_and_without_its_signature() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[("RUST_LOG", "trace")]).await?;
    let body = payload::message_created("evt_1", "msg_1", real_now()).to_string();
    let now = (unix_seconds() - 400).to_string();
    let signature = signing::sign(&Secret::parse(&bench.secret)?, "evt_1", now.parse()?, body.as_bytes());
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let headers = [
        ("webhook-id", "evt_1"),
        ("webhook-timestamp", &now),
        ("webhook-signature", &signature),
        ("traceparent", &traceparent),
    ];
    assert_eq!(ingest.sender.post(&headers, body).await?.status, 400);
    let logs = ingest.process.logs()?;
    let line = logs.lines().find(|line| line.contains("too_old")).context("no line about the refusal")?;
    assert!(line.contains(TRACE) && line.contains("skew_seconds\":40"), "{line}");
    let digest = signature.trim_start_matches("v1,");
    let key = bench.secret.trim_start_matches("whsec_");
    assert!(!logs.contains(digest) && !logs.contains(key), "secret in the log");
    Ok(())
}
