//! Both contracts, with their documents' own example payloads.

use crate::bench::{Bench, PATIENCE};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::clock::real_now;
use testkit::{Deliverer, eventually, payload};

fn examples() -> Vec<(&'static str, Value)> {
    let now = real_now();
    let at = now.to_rfc3339();
    vec![
        ("evt_moderation", payload::moderation_denied("evt_moderation", "msg_abc123", now)),
        ("evt_message", payload::message_created("evt_message", "msg_abc124", now)),
        ("whe_platform", payload::platform("whe_platform", "session.status_idled", "sesn_1", now)),
        ("evt_flat", payload::flat("evt_flat", "session.status_completed", "sesn_2", now)),
        (
            "evt_flat_data",
            json!({ "id": "evt_flat_data", "type": "tool.result_pending", "created_at": at,
                "data": { "id": "sesn_3", "session_id": "sesn_3" } }),
        ),
        (
            "evt_flat_agent",
            json!({ "id": "evt_flat_agent", "type": "agent.updated", "created_at": at, "agent_id": "agent_1" }),
        ),
        ("evt_error", payload::flat("evt_error", "session.status_error", "sesn_4", now)),
        ("evt_new", json!({ "type": "brand.new_type", "event_id": "evt_new", "created_at": 1_789_000_000 })),
        (
            "whe_new",
            json!({ "type": "event", "id": "whe_new", "created_at": at,
                "data": { "type": "moonbase.opened", "id": "moon_1" }, "future": { "member": [1] } }),
        ),
    ]
}

#[tokio::test]
async fn every_documented_payload_is_accepted_once_and_skipped_after_that() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let examples = examples();
    for (id, body) in &examples {
        let first = ingest.sender.deliver(id, body).await?;
        assert_eq!((first.status, first.json()?), (200, json!({ "status": "success" })), "{body}");
    }
    for (id, body) in &examples {
        let again = ingest.sender.deliver(id, body).await?;
        let skipped = json!({ "status": "skipped", "message": "Already processed" });
        assert_eq!((again.status, again.json()?), (200, skipped), "{body}");
    }
    let stored = bench.rows("SELECT event_id, deliveries, status FROM events ORDER BY id").await?;
    let expected: Vec<Value> = examples
        .iter()
        .map(|(id, _)| json!({ "event_id": id, "deliveries": 2, "status": "pending" }))
        .collect();
    assert_eq!(stored, expected);
    Ok(())
}

#[tokio::test]
async fn the_payload_is_stored_byte_for_byte() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let body = "{ \"created_at\":1789000000 ,\"event_id\": \"evt_1\",\n\t\"type\":\"message.created\",\
                \"data\":{\"id\":\"msg_1\",\"text\":\"\\u00e9 \u{e9} \\u0000\"}, \"x\": 1.0e5 }\n";
    let now = testkit::clock::unix_seconds();
    assert_eq!(ingest.sender.deliver_signed_at("evt_1", body, now).await?.status, 200);
    let rows = bench.rows("SELECT convert_from(payload, 'UTF8') AS payload FROM events").await?;
    assert_eq!(rows, [json!({ "payload": body })]);
    Ok(())
}

#[tokio::test]
async fn both_paths_lead_to_the_one_endpoint() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let other = Deliverer::new(ingest.url("/claude-webhook"), &bench.secret)?;
    let body = payload::flat("evt_1", "session.updated", "sesn_1", real_now());
    assert_eq!(other.deliver("evt_1", &body).await?.json()?["status"], "success");
    assert_eq!(ingest.sender.deliver("evt_1", &body).await?.json()?["status"], "skipped");
    Ok(())
}

#[tokio::test]
async fn many_copies_at_the_same_moment_are_one_event() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let body = payload::platform("whe_1", "session.status_idled", "sesn_1", real_now());
    let copies = (0..20).map(|_| ingest.sender.deliver("whe_1", &body));
    let mut new = 0;
    for answer in futures_util::future::join_all(copies).await {
        let answer = answer?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        new += i32::from(answer.json()?["status"] == "success");
    }
    let rows = bench.rows("SELECT deliveries FROM events").await?;
    assert_eq!((new, rows), (1, vec![json!({ "deliveries": 20 })]));
    Ok(())
}

#[tokio::test]
async fn what_no_event_can_do_without_is_named() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let table = [
        (json!({ "type": "message.created", "created_at": 1_789_000_000, "data": {} }), "event_id"),
        (json!({ "type": "message.created", "created_at": 1, "event_id": "", "data": {} }), "event_id"),
        (json!({ "type": "message.created", "created_at": 1, "event_id": 7, "data": {} }), "event_id"),
        (json!({ "type": "message.created", "event_id": "evt_1", "data": {} }), "created_at"),
        (json!({ "event_id": "evt_1", "created_at": 1, "data": {} }), "type"),
        (
            json!({ "type": "event", "data": { "type": "session.created" }, "created_at": "2026-01-01T00:00:00Z" }),
            "id",
        ),
        (json!({ "type": "event", "id": "whe_1", "data": { "type": "session.created" } }), "created_at"),
    ];
    for (number, (body, member)) in table.iter().enumerate() {
        let answer = ingest.sender.deliver(&format!("try_{number}"), body).await?;
        let said = answer.json()?;
        assert_eq!((answer.status, &said["reason"]), (400, &json!("invalid_event")), "{body}");
        let message = said["message"].as_str().unwrap_or_default();
        assert!(message.contains(&format!("{member:?}")), "{body}: {message}");
    }
    eventually(PATIENCE, "all of them in quarantine", async || {
        let kept = bench.count("quarantine").await?;
        ensure!(kept == table.len() as u64, "{kept} are");
        Ok(Some(()))
    })
    .await?;
    assert_eq!(bench.count("events").await?, 0);
    Ok(())
}
