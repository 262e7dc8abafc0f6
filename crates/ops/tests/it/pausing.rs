//! An API that is away, refuses us or asks us to slow down: nothing dies of it, and work goes on by itself.

use crate::bench::{Bench, Duty, PATIENCE, Platform, Worker, after, message, platform_event, processing};
use anyhow::{Result, ensure};
use broker::Queue;
use domain::{Clock, EventStatus};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::NewEvent;
use testkit::eventually;

/// How many groups a worker of these tests looks at at the same time.
const CONCURRENCY: u32 = 8;

/// A worker before a backlog, a relay, and a platform that fails as told.
struct Wall {
    bench: Bench,
    platform: Platform,
    worker: Worker,
    relay: Duty,
}

impl Wall {
    /// So many events in the queue, one of each session `sesn_N`; `sick` is a prefix of the paths that fail.
    async fn before(events: u32, sick: Option<&str>, fault: Value) -> Result<Self> {
        let (bench, platform) = (Bench::new().await?, Platform::start().await?);
        let mut backlog = Vec::new();
        for n in 0..events {
            let session = format!("sesn_{n}_");
            platform.running(&session).await?;
            backlog.push(platform_event(&format!("whe_{n}"), "session.updated", &session, -1)?);
        }
        match sick {
            Some(sessions) => platform.fails(sessions, fault).await?,
            None => platform.fails_altogether(fault).await?,
        }
        bench.stored(&backlog).await?;
        bench.publish(Queue::Work, &backlog.iter().map(message).collect::<Vec<_>>()).await?;
        let worker = Worker::start(&bench, &platform).await?;
        let relay = bench.relay().await?;
        Ok(Self { bench, platform, worker, relay })
    }

    /// Lets the clock run, a hundred times as fast as the real one, until it is so.
    async fn until(&self, what: &str, mut probe: impl AsyncFnMut(&Bench) -> Result<bool>) -> Result<()> {
        eventually(2 * PATIENCE, what, async || {
            self.bench.advance(2);
            let seconds = (self.bench.clock.now() - after(0)).num_seconds();
            ensure!(probe(&self.bench).await?, "after {seconds} s: {:?}", self.bench.ledger().await?);
            Ok(Some(()))
        })
        .await
    }

    /// Waits until so many pauses have begun for this cause.
    async fn until_pauses(&self, cause: &str, pauses: f64) -> Result<()> {
        let name = format!("worker_pauses_total{{cause=\"{cause}\"}}");
        self.until(&name, async |bench| Ok(bench.metric(&name)? >= pauses)).await
    }

    /// Waits for the first pause while the clock stands still: a busy machine must not make the window of the last minute
    /// slide over the first calls.
    async fn until_first_pause(&self, cause: &str) -> Result<()> {
        let name = format!("worker_pauses_total{{cause=\"{cause}\"}}");
        eventually(PATIENCE, &name, async || Ok((self.bench.metric(&name)? > 0.5).then_some(()))).await
    }

    /// The platform is well again: everything is applied, soon and without a dead letter.
    async fn heals(self, events: i64) -> Result<Bench> {
        self.platform.heals().await?;
        self.until("everything applied", async |bench| Ok(bench.ledger().await?.applied == events)).await?;
        self.worker.stopped().await?;
        self.relay.stopped_within(PATIENCE).await?;
        self.bench.until_outbox(0).await?;
        self.bench.until_ready(Queue::Work, 0).await?;
        self.bench.until_ready(Queue::Dead, 0).await?;
        Ok(self.bench)
    }
}

async fn tries(bench: &Bench) -> Result<i64> {
    let recorded = bench.number("SELECT count(*) FROM attempts").await?;
    ensure!(bench.number("SELECT sum(tries)::bigint FROM events").await? == recorded);
    Ok(recorded)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_many_times_as_long_as_all_rests_costs_no_event_a_try() -> Result<()> {
    let wall = Wall::before(200, None, json!({ "status": 503 })).await?;
    let long = after(1_000);
    wall.until("a long outage", async |bench| Ok(bench.clock.now() > long)).await?;
    wall.until_pauses("away", 12.0).await?;
    let ledger = wall.bench.ledger().await?;
    assert_eq!((ledger.pending, ledger.dead), (200, 0));
    assert_eq!(tries(&wall.bench).await?, 0);
    assert!((wall.bench.metric("worker_paused{cause=\"away\"}")? - 1.0).abs() < 0.1);
    // What was held for five minutes was let go at once, not one by one against the wall. A busy machine needs a while
    // to write it all.
    let postponed = "worker_events_total{outcome=\"postponed\"}";
    wall.until("most of them postponed", async |bench| Ok(bench.metric(postponed)? > 100.0)).await?;
    let pauses = wall.bench.metric("worker_pauses_total{cause=\"away\"}")?;
    let fetches = u32::try_from(wall.platform.all_fetches().await?)?;
    assert!(f64::from(fetches) < 2.0 * f64::from(CONCURRENCY) + pauses, "{fetches} in {pauses}");
    assert!(wall.bench.metric("worker_paused_seconds_total{cause=\"away\"}")? > 500.0);
    let bench = wall.heals(200).await?;
    assert_eq!(tries(&bench).await?, 0);
    assert!(bench.metric("worker_paused{cause=\"away\"}")? < 0.1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_event_outlives_an_outage_too() -> Result<()> {
    let wall = Wall::before(1, None, json!({ "body": "cut" })).await?;
    wall.until_pauses("away", 5.0).await?;
    let bench = wall.heals(1).await?;
    assert_eq!(tries(&bench).await?, 0);
    Ok(())
}

/// The API answers other questions all the time, so only the number of failures can tell.
#[tokio::test(flavor = "multi_thread")]
async fn when_all_sessions_fail_although_the_api_is_there_a_few_tries_are_used_and_nothing_dies() -> Result<()>
{
    let wall = Wall::before(200, Some(""), json!({ "status": 500 })).await?;
    wall.until_first_pause("failing").await?;
    wall.until_pauses("failing", 8.0).await?;
    assert_eq!(wall.bench.ledger().await?.pending, 200);
    let used = tries(&wall.bench).await?;
    assert!((1..10).contains(&used), "{used}");
    let bench = wall.heals(200).await?;
    assert_eq!(tries(&bench).await?, used);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broken_resource_among_good_ones_dies_after_its_tries_and_stops_nobody() -> Result<()> {
    let wall = Wall::before(20, Some("sesn_7_"), json!({ "status": 500 })).await?;
    wall.until("a dead letter", async |bench| Ok(bench.ledger().await?.dead == 1)).await?;
    let dead = wall.bench.detail("whe_7").await?;
    assert_eq!((dead.row.status.as_str(), dead.row.tries), ("dead", 3));
    assert_eq!((wall.bench.ledger().await?.applied, tries(&wall.bench).await?), (19, 3));
    for cause in ["away", "failing", "throttled", "configuration"] {
        let pauses = wall.bench.metric(&format!("worker_pauses_total{{cause=\"{cause}\"}}"))?;
        assert!(pauses < 0.1, "{cause}");
    }
    wall.worker.stopped().await
}

/// What is left of an outage when all others are done.
#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_still_broken_after_an_outage_dies_of_itself() -> Result<()> {
    let wall = Wall::before(1, None, json!({ "status": 503 })).await?;
    wall.until_pauses("away", 4.0).await?;
    assert_eq!(tries(&wall.bench).await?, 0);
    wall.platform.heals().await?;
    wall.platform.fails("sesn_0_", json!({ "status": 500 })).await?;
    wall.until("a dead letter", async |bench| Ok(bench.ledger().await?.dead == 1)).await?;
    assert_eq!(wall.bench.detail("whe_0").await?.row.tries, 3);
    wall.worker.stopped().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_stops_the_work_until_it_is_accepted_and_kills_nothing() -> Result<()> {
    let wall = Wall::before(40, None, json!({ "status": 401 })).await?;
    wall.until_pauses("configuration", 5.0).await?;
    assert!((wall.bench.metric("worker_paused{cause=\"configuration\"}")? - 1.0).abs() < 0.1);
    let (fetches, pauses) = (
        u32::try_from(wall.platform.all_fetches().await?)?,
        wall.bench.metric("worker_pauses_total{cause=\"configuration\"}")?,
    );
    assert!(f64::from(fetches) <= f64::from(CONCURRENCY) + pauses + 1.0, "{fetches} in {pauses} pauses");
    assert_eq!(wall.bench.ledger().await?.pending, 40);
    let bench = wall.heals(40).await?;
    assert_eq!(tries(&bench).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_our_key_must_not_see_stops_nobody_else() -> Result<()> {
    let wall = Wall::before(20, Some("sesn_7_"), json!({ "status": 403 })).await?;
    wall.until("the others applied", async |bench| Ok(bench.ledger().await?.applied == 19)).await?;
    let waiting = wall.bench.until("whe_7", "refused", |detail| detail.row.error_class.is_some()).await?;
    assert_eq!((waiting.row.error_class.as_deref(), waiting.row.tries), (Some("configuration"), 0));
    assert!(wall.bench.metric("worker_pauses_total{cause=\"configuration\"}")? < 0.1);
    wall.worker.stopped().await
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_kept_by_the_whole_worker_and_costs_no_try() -> Result<()> {
    let wall = Wall::before(40, None, json!({ "status": 429, "retry_after": 120 })).await?;
    let throttled = "worker_paused{cause=\"throttled\"}";
    eventually(PATIENCE, "a pause", async || {
        ensure!(wall.bench.metric(throttled)? > 0.5);
        Ok(Some(()))
    })
    .await?;
    // All that were under way at the same time have their answers.
    let waiting = "SELECT count(*) FROM events WHERE error_class = 'throttled'";
    eventually(PATIENCE, "the answers", async || {
        let answered = u64::try_from(wall.bench.number(waiting).await?)?;
        ensure!(answered == wall.platform.all_fetches().await?, "{answered}");
        Ok(Some(()))
    })
    .await?;
    let fetches = wall.platform.all_fetches().await?;
    assert!(fetches <= u64::from(CONCURRENCY), "{fetches}");
    wall.platform.heals().await?;
    wall.bench.advance(119);
    let paused = "worker_paused_seconds_total{cause=\"throttled\"}";
    eventually(PATIENCE, "119 s of a pause", async || {
        let seconds = wall.bench.metric(paused)?;
        ensure!(seconds > 118.5, "{seconds}");
        Ok(Some(()))
    })
    .await?;
    assert_eq!(wall.platform.all_fetches().await?, fetches, "nothing is fetched before its time");
    wall.bench.advance(1);
    let bench = wall.heals(40).await?;
    assert_eq!(tries(&bench).await?, 0);
    Ok(())
}

/// An event whose call takes ten seconds, and nine that wait behind it.
async fn slow_first(bench: &Bench, platform: &Platform, latency_ms: u32) -> Result<Worker> {
    let mut backlog: Vec<NewEvent> = Vec::new();
    for n in 0..10 {
        let session = format!("sesn_{n}_");
        platform.running(&session).await?;
        backlog.push(platform_event(&format!("whe_{n}"), "session.updated", &session, -1)?);
    }
    platform.fails("", json!({ "latency_ms": latency_ms })).await?;
    bench.accept(&backlog).await?;
    bench.publish(Queue::Work, &backlog.iter().map(message).collect::<Vec<_>>()).await?;
    let config = ops::process::Config { concurrency: 1, ..processing()? };
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let worker = Worker::with(bench, platform, config, bench.store.clone(), clock, 50).await?;
    eventually(PATIENCE, "a fetch under way, and all messages taken", async || {
        let (fetches, ready) =
            (platform.all_fetches().await?, testkit::broker::depth(&bench.queues.work()).await?);
        ensure!((fetches, ready) == (1, 0), "{fetches} fetches, {ready} ready");
        Ok(Some(()))
    })
    .await?;
    Ok(worker)
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_finishes_what_was_begun_and_gives_back_what_was_not() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    slow_first(&bench, &platform, 1_500).await?.stopped().await?;
    assert_eq!(platform.all_fetches().await?, 1);
    let ledger = bench.ledger().await?;
    assert_eq!((ledger.applied, ledger.pending), (1, 9));
    bench.until_ready(Queue::Work, 9).await?;
    platform.heals().await?;
    let worker = Worker::start(&bench, &platform).await?;
    for n in 0..10 {
        bench.until_status(&format!("whe_{n}"), EventStatus::Applied).await?;
    }
    assert_eq!(tries(&bench).await?, 0);
    worker.stopped().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_call_never_ends_knows_that_it_is_stuck_and_on_what() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let worker = slow_first(&bench, &platform, 20_000).await?;
    let limit = Duration::from_mins(5);
    assert_eq!(worker.progress.stuck(Instant::now(), limit), None);
    let later = Instant::now() + limit + PATIENCE;
    let stuck = eventually(PATIENCE, "all messages in hand", async || {
        let stuck = worker.progress.stuck(later, limit);
        Ok(stuck.filter(|stuck| stuck.held == 10 && stuck.waits.len() == 1))
    })
    .await?;
    assert!(stuck.to_string().contains("waiting for the Claude API, session sesn_0_"), "{stuck}");
    Ok(())
}
