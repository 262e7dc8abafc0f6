//! Workers that die, and a broker that forgets.

use super::Waiting;
use crate::bench::{Duty, PATIENCE, Replier};
use anyhow::{Result, ensure};
use broker::{Inspector, Queue};
use domain::Clock;
use ops::replies::{Keeper, KeeperConfig, Metrics};
use std::sync::Arc;
use std::time::Duration;
use testkit::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_after_the_post_has_posted_it_once() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    // As long as somebody else has the request, what became of the reply cannot be written.
    let mut request = bench.database.pool().begin().await?;
    sqlx::raw_sql("SELECT FROM effects FOR UPDATE").execute(&mut *request).await?;
    let relay = bench.relay().await?;
    let first = Replier::start(bench, platform, "worker-1")?;
    eventually(PATIENCE, "the post", async || {
        ensure!(!platform.answers("sesn_1").await?.is_empty(), "not posted");
        Ok(Some(()))
    })
    .await?;
    first.killed().await;
    request.rollback().await?;
    assert_eq!(bench.reply(&id).await?, ("posting".to_owned(), false));

    // The message comes back at once; the reply is the dead worker's until its lease is over.
    let second = Replier::start(bench, platform, "worker-2")?;
    bench.until(&id, "put off", |detail| detail.due_at == Some(crate::bench::after(120))).await?;
    assert_eq!(bench.reply(&id).await?, ("posting".to_owned(), false));
    bench.advance(120);
    bench.until_reply(&id, "posted").await?;
    assert_eq!(platform.calls("POST /v1/sessions/{session_id}/events").await?, 1);
    second.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.answered(&["sesn_1_ask_1"]).await?;
    waiting.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_wiped_loses_no_reply() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    bench.until_ready(Queue::Replies, 1).await?;
    let keeper = |bench: &crate::bench::Bench| {
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        let config = KeeperConfig { every: Duration::from_millis(50) };
        Keeper::new(config, bench.store.clone(), bench.broker.clone(), clock, Metrics::default())
    };
    let keeping = Duty::start(|stop| keeper(bench).run(stop));
    // What waits in the queue is left alone, however often it is looked at.
    assert_eq!(
        ops::replies::count_stray(&bench.store, &bench.broker, &*bench.clock, Duration::from_millis(200))
            .await?,
        []
    );
    assert_eq!(bench.messages(Queue::Replies).await?.len(), 1);

    let inspector = Inspector::connect(&bench.broker).await?;
    inspector.delete(Queue::Replies).await?;
    inspector.close().await;
    bench.until_ready(Queue::Replies, 1).await?;
    keeping.stopped_within(PATIENCE).await?;
    let replier = Replier::start(bench, platform, "worker-1")?;
    bench.until_reply(&id, "posted").await?;
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.answered(&["sesn_1_ask_1"]).await?;
    waiting.settled().await
}
