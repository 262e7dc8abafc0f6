//! A delivery that cannot have been the next one brings what was lost before it.

use super::postbox::Postbox;
use super::stand::Stand;
use super::{born, differences, play};
use crate::bench::{Duty, PATIENCE, Platform, Worker};
use anyhow::{Result, ensure};
use bytes::Bytes;
use chrono::TimeDelta;
use ops::reconcile::{Wake, Waker};
use testkit::eventually;

/// A system that looks for gaps while it works.
struct Watching {
    worker: Worker,
    relay: Duty,
    _looker: Duty,
}

impl Watching {
    async fn start(stand: &Stand, platform: &Platform) -> Result<Self> {
        let (waker, wake): (Waker, Wake) = Wake::new(stand.reconciler(platform)?, TimeDelta::zero());
        let worker = Worker::waking(&stand.bench, platform, waker).await?;
        let relay = stand.bench.relay().await?;
        Ok(Self { worker, relay, _looker: Duty::start(|stop| wake.run(stop)) })
    }

    async fn stopped(self) -> Result<()> {
        self.relay.stopped_within(PATIENCE).await?;
        self.worker.stopped().await
    }
}

/// The bodies of deliveries of these types.
fn only(bodies: &[Bytes], types: &[&str]) -> Vec<Bytes> {
    let is_one = |body: &&Bytes| {
        let text = String::from_utf8_lossy(body);
        types.iter().any(|kind| text.contains(kind))
    };
    bodies.iter().filter(is_one).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_after_a_gap_fills_it() -> Result<()> {
    let platform = Platform::start().await?;
    let postbox = Postbox::of(&platform).await?;
    let (whole, lossy) = (Stand::new().await?, Stand::new().await?);
    born(&platform, "sesn_1").await?;
    for scenario in ["turn_end", "updated", "thread_lifecycle", "outcome", "budget_reached", "turn_end"] {
        play(&platform, scenario, "sesn_1").await?;
    }
    let all = postbox.emptied();
    whole.told(&all).await?;
    whole.processed(&platform).await?;

    let watching = Watching::start(&lossy, &platform).await?;
    lossy.told(&only(&all, &["session.status_idled"])).await?;
    let expected = whole.end().await?;
    eventually(PATIENCE * 2, "the history is whole", async || {
        lossy.now();
        let differences = differences(&lossy.end().await?, &expected);
        ensure!(differences.is_empty(), "{differences:#?}");
        Ok(Some(()))
    })
    .await?;
    watching.stopped().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_without_a_gap_is_left_alone() -> Result<()> {
    let platform = Platform::start().await?;
    let postbox = Postbox::of(&platform).await?;
    let (told, lacking) = (Stand::new().await?, "sesn_2");
    for session in ["sesn_1", lacking] {
        born(&platform, session).await?;
        for scenario in ["turn_end", "budget_reached", "thread_lifecycle", "turn_end", "archived"] {
            play(&platform, scenario, session).await?;
        }
    }
    let all = postbox.emptied();
    let of = |session: &str| only(&all, &[session]);
    let watching = Watching::start(&told, &platform).await?;
    told.told(&of("sesn_1")).await?;
    told.told(&only(&of(lacking), &["session.status_terminated"])).await?;
    // When the one that lacks something is filled, the other one was looked at, too.
    let filled = "SELECT count(*) FROM resource_history JOIN events ON events.id = event \
                  WHERE resource_history.resource_id = 'sesn_2' AND source = 'reconcile'";
    eventually(PATIENCE * 2, "the other one is filled", async || {
        told.now();
        ensure!(told.bench.number(filled).await? > 0, "not yet");
        Ok(Some(()))
    })
    .await?;
    let made = "SELECT count(*) FROM events WHERE source = 'reconcile' AND resource_id = 'sesn_1'";
    assert_eq!(told.bench.number(made).await?, 0);
    watching.stopped().await
}
