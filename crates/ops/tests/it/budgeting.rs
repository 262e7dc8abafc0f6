//! The budget of calls that all workers share.

use crate::bench::{Bench, PATIENCE, Platform, Worker, client_of, message, platform_event, store_at};
use anyhow::{Result, ensure};
use broker::Queue;
use claude::Pace;
use domain::{CallClass, Clock, EventStatus, Rate};
use ops::budget::{Budget, Metrics, Rates};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::{NewEvent, Store};
use testkit::eventually;
use tokio::task::JoinSet;

fn budget(bench: &Bench, store: Store, reads: u32) -> Arc<Budget> {
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let rates = Rates { reads: Rate::per_minute(reads), writes: Rate::per_minute(60) };
    Arc::new(Budget::new(rates, store, clock, Metrics::default()))
}

/// Calls that wait for their turn; each counts when it has had it.
struct Calls {
    made: Arc<AtomicU32>,
    _tasks: JoinSet<()>,
}

impl Calls {
    fn start(budget: &Arc<Budget>, class: CallClass, calls: usize) -> Self {
        let made = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..calls {
            let (budget, made) = (Arc::clone(budget), Arc::clone(&made));
            tasks.spawn(async move {
                budget.before(class).await;
                made.fetch_add(1, Ordering::SeqCst);
            });
        }
        Self { made, _tasks: tasks }
    }

    async fn until(&self, expected: u32) -> Result<()> {
        eventually(PATIENCE, &format!("{expected} calls"), async || {
            let made = self.made.load(Ordering::SeqCst);
            ensure!(made == expected, "there are {made}");
            Ok(Some(()))
        })
        .await
    }
}

/// Leaves so many tokens in the buckets, as of noon.
async fn leave(bench: &Bench, tokens: u32) -> Result<()> {
    let noon = crate::bench::noon().to_rfc3339();
    let statement =
        format!("UPDATE api_budget SET tokens = {tokens}, refilled_at = '{noon}' RETURNING class");
    bench.texts(statement).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_one_bucket_and_go_on_as_it_fills() -> Result<()> {
    let bench = Bench::new().await?;
    leave(&bench, 5).await?;
    let workers = [budget(&bench, bench.store.clone(), 60), budget(&bench, bench.store.clone(), 60)];
    let calls = workers.each_ref().map(|worker| Calls::start(worker, CallClass::Read, 10));
    let made = || calls.iter().map(|calls| calls.made.load(Ordering::SeqCst)).sum::<u32>();
    for expected in [5, 8, 20] {
        eventually(PATIENCE, &format!("{expected} calls"), async || {
            ensure!(made() == expected, "there are {}", made());
            Ok(Some(()))
        })
        .await?;
        bench.advance(if expected == 5 { 3 } else { 60 });
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_nobody_asks() -> Result<()> {
    let bench = Bench::new().await?;
    // Nobody listens there.
    let store = store_at("postgres://nobody@127.0.0.1:9/nothing".to_owned())?;
    let free = budget(&bench, store, 0);
    Calls::start(&free, CallClass::Read, 1_000).until(1_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_to_one_worker_stops_all_of_them_for_as_long_as_it_says() -> Result<()> {
    let bench = Bench::new().await?;
    let [throttled, other] = [(); 2].map(|()| budget(&bench, bench.store.clone(), 60));
    throttled.throttled(Some(Duration::from_secs(30))).await;
    let reads = Calls::start(&other, CallClass::Read, 3);
    let writes = Calls::start(&other, CallClass::Write, 3);
    // Somebody looked and was told to wait: the shared buckets are full.
    bench.advance(29);
    let noon = "SELECT count(*) FROM api_budget WHERE refilled_at > '2001-01-01'";
    eventually(PATIENCE, "both classes asked", async || {
        ensure!(bench.number(noon).await? == 2);
        Ok(Some(()))
    })
    .await?;
    reads.until(0).await?;
    writes.until(0).await?;
    bench.advance(2);
    reads.until(3).await?;
    writes.until(3).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_each_worker_has_a_quarter() -> Result<()> {
    let bench = Bench::new().await?;
    let alone = budget(&bench, store_at("postgres://nobody@127.0.0.1:9/nothing".to_owned())?, 2_400);
    let calls = Calls::start(&alone, CallClass::Read, 5);
    // A quarter of forty a second, from an empty bucket. The first look may come before or after the clock moves on.
    eventually(PATIENCE, "a first look", async || {
        bench.clock.advance(Duration::from_millis(1));
        Ok((bench.clock.now() > crate::bench::noon() + chrono::TimeDelta::milliseconds(20)).then_some(()))
    })
    .await?;
    calls.until(0).await?;
    let started = bench.clock.now();
    eventually(PATIENCE, "all calls", async || {
        bench.clock.advance(Duration::from_millis(10));
        Ok((calls.made.load(Ordering::SeqCst) == 5).then_some(()))
    })
    .await?;
    let took = bench.clock.now() - started;
    ensure!(took >= chrono::TimeDelta::milliseconds(450), "five calls took {took}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_the_budget_costs_no_try_and_is_no_standstill() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    leave(&bench, 3).await?;
    let metrics = Metrics::default();
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let rates = Rates { reads: Rate::per_minute(60), writes: None };
    let gate = Arc::new(Budget::new(rates, bench.store.clone(), clock, metrics));
    let pace: Arc<dyn Pace> = Arc::clone(&gate) as _;
    let client = client_of(platform.url(), Some(pace))?;
    let mut events: Vec<NewEvent> = Vec::new();
    for n in 0..8 {
        platform.running(&format!("sesn_{n}")).await?;
        events.push(platform_event(&format!("whe_{n}"), "session.updated", &format!("sesn_{n}"), -1)?);
    }
    bench.accept(&events).await?;
    let messages: Vec<_> = events.iter().map(message).collect();
    bench.publish(Queue::Work, &messages).await?;
    let worker = Worker::of_client(&bench, client).await?;
    gate.report_to(worker.progress.clone());
    let applied = async |expected| {
        eventually(PATIENCE, &format!("{expected} applied"), async || {
            let ledger = bench.ledger().await?;
            ensure!(ledger.applied == expected && ledger.dead == 0, "{ledger:?}");
            Ok(Some(()))
        })
        .await
    };
    applied(3).await?;
    // Whoever waits says so over and over: what is longer ago than the last word becomes no longer.
    let limit = Duration::from_secs(2);
    let since = std::time::Instant::now();
    eventually(PATIENCE, "some waiting", async || {
        ensure!(worker.progress.stuck(std::time::Instant::now(), limit).is_none(), "it counts as stuck");
        Ok((since.elapsed() > limit * 2).then_some(()))
    })
    .await?;
    bench.advance(60);
    applied(8).await?;
    for n in 0..8 {
        let detail = bench.until_status(&format!("whe_{n}"), EventStatus::Applied).await?;
        assert_eq!(detail.row.tries, 0);
    }
    worker.stopped().await
}
