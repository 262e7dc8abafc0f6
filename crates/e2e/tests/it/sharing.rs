//! Several processes of each kind share the work.

use crate::node::Role;
use crate::stack::Stack;
use crate::stage::slow;
use crate::system::System;
use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::json;
use testkit::clock::real_now;
use testkit::{Deliverer, payload};

const SESSIONS: u64 = 40;
const EVENTS_PER_SESSION: u64 = 5;

#[tokio::test]
async fn two_of_each_kind_share_the_load_and_process_every_event_once() -> Result<()> {
    let mut stack = Stack::new().await?;
    stack.set("HOLDFAST_PREFETCH", "20");
    let mut system = System::start_on(stack).await?;
    system.add(Role::Ingest).await?;
    system.add(Role::Worker).await?;
    system.stage.faults(json!([slow(10)])).await?;
    let senders: Vec<Deliverer> = system
        .ingests
        .iter()
        .map(|ingest| Deliverer::new(ingest.webhook_url(), &system.stack.secret))
        .collect::<Result<_>>()?;
    for session in 0..SESSIONS {
        system.stage.put_session(&format!("sesn_{session}"), json!({})).await?;
    }
    // Each event goes to both, at the same time.
    for number in 0..EVENTS_PER_SESSION {
        let deliveries = (0..SESSIONS).flat_map(|session| {
            senders.iter().map(move |sender| async move {
                let id = format!("whe_{session}_{number}");
                let body = payload::platform(&id, "session.updated", &format!("sesn_{session}"), real_now());
                anyhow::Ok(sender.deliver(&id, &body).await?.json()?["status"] == "success")
            })
        });
        let new = try_join_all(deliveries).await?.into_iter().filter(|new| *new).count();
        assert_eq!(new as u64, SESSIONS, "each event is new to exactly one of the two");
    }
    system.all_finished(SESSIONS * EVENTS_PER_SESSION).await?;
    let deliveries = system.stack.rows("SELECT DISTINCT deliveries FROM events").await?;
    assert_eq!(deliveries, [json!({ "deliveries": 2 })]);
    let mut processed = 0.0;
    for worker in &system.workers {
        let mut own = 0.0;
        for outcome in ["applied", "superseded"] {
            own += worker.metric(&format!("worker_events_total{{outcome=\"{outcome}\"}}")).await?;
        }
        assert!(own > 0.0, "one worker did everything");
        processed += own;
    }
    let expected = u32::try_from(SESSIONS * EVENTS_PER_SESSION).context("small")?;
    assert!((processed - f64::from(expected)).abs() < 0.5, "{processed}");
    system.balanced().await?;
    Ok(())
}
