//! Ending a process in the middle of its work.

use crate::bench::{Bench, Ingest, PATIENCE};
use anyhow::Result;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::broker::Peeked;
use testkit::clock::real_now;
use testkit::{broker, eventually, payload};

const SENDERS: usize = 8;
/// Far more than fit in before the signal.
const MOST_PER_SENDER: usize = 5_000;

/// Delivers event after event until one gets no answer or none of ours. Returns the ids that were acknowledged.
async fn deliver_until_refused(ingest: &Ingest, sender: usize, acknowledged: &AtomicUsize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..MOST_PER_SENDER {
        let id = format!("evt_{sender}_{number}");
        let body = payload::message_created(&id, "msg_1", real_now());
        match ingest.sender.deliver(&id, &body).await {
            Ok(answer) if answer.status == 200 => {
                acknowledged.fetch_add(1, Ordering::Relaxed);
                ids.push(id);
            }
            Ok(_) | Err(_) => break,
        }
    }
    ids
}

#[tokio::test]
async fn after_sigterm_under_load_every_acknowledged_event_is_stored_and_the_exit_is_clean() -> Result<()> {
    let bench = Bench::new().await?;
    let mut ingest = bench.ingest(&[]).await?;
    let terminate = format!("kill -TERM {}", ingest.process.id());
    let acknowledged = AtomicUsize::new(0);
    let senders = join_all((0..SENDERS).map(|sender| deliver_until_refused(&ingest, sender, &acknowledged)));
    let signal = async {
        eventually(PATIENCE, "some deliveries", async || {
            Ok((acknowledged.load(Ordering::Relaxed) > 100).then_some(()))
        })
        .await?;
        testkit::process::run("/bin/sh", &["-c", &terminate], &[], PATIENCE).await
    };
    let (ids, signalled) = tokio::join!(senders, signal);
    assert!(signalled?.status.success());
    let exit = ingest.process.wait_exit(PATIENCE).await?;
    assert_eq!(exit.code(), Some(0));

    let ids: BTreeSet<String> = ids.into_iter().flatten().collect();
    let rows = bench.rows("SELECT event_id FROM events").await?;
    let stored: BTreeSet<String> =
        rows.iter().filter_map(|row| row["event_id"].as_str()).map(str::to_owned).collect();
    let lost: Vec<&String> = ids.difference(&stored).collect();
    assert!(ids.len() > 100 && lost.is_empty(), "{} acknowledged, lost: {lost:?}", ids.len());
    // What was stored is in the queue, or its bundle is left for the next process.
    let queued: u64 = broker::get_all(&bench.queues.work()).await?.iter().map(Peeked::events).sum();
    let left = bench.rows("SELECT unnest(events) AS event FROM bundles").await?.len();
    assert!(queued + left as u64 >= stored.len() as u64, "{queued} + {left} < {}", stored.len());
    Ok(())
}

#[tokio::test]
async fn a_process_that_drains_is_not_ready_and_still_serves_for_the_delay() -> Result<()> {
    let bench = Bench::new().await?;
    let mut ingest = bench.ingest(&[("HOLDFAST_DRAIN_DELAY", "2s")]).await?;
    ingest.process.sigterm()?;
    eventually(PATIENCE, "no readiness", async || {
        Ok((ingest.internal("/readyz").await?.0 == 503).then_some(()))
    })
    .await?;
    let body = payload::message_created("evt_1", "msg_1", real_now());
    assert_eq!(ingest.sender.deliver("evt_1", &body).await?.status, 200);
    assert_eq!(ingest.internal("/livez").await?.0, 200);
    assert_eq!(ingest.process.wait_exit(PATIENCE).await?.code(), Some(0));
    assert_eq!(bench.count("events").await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() -> Result<()> {
    let bench = Bench::new().await?;
    let mut ingest = bench.ingest(&[("HOLDFAST_DRAIN", "15s")]).await?;
    let body = payload::message_created("evt_1", "msg_1", real_now());
    // The sender keeps its connection alive.
    assert_eq!(ingest.sender.deliver("evt_1", &body).await?.status, 200);
    let begun = std::time::Instant::now();
    ingest.process.sigterm()?;
    assert_eq!(ingest.process.wait_exit(PATIENCE).await?.code(), Some(0));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    Ok(())
}
