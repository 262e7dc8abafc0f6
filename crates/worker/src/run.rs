//! `worker run`: wiring of one worker process, and the order in which its parts end.

pub(crate) mod alerts;
mod duties;
mod meters;
mod reconcile;
mod replies;
mod reviews;
mod transcripts;

use crate::run_args::RunSettings;
use crate::watchdog;
use anyhow::Context;
use broker::{
    Broker, Consumer, ConsumerConfig, Control, LinkState, Publisher, PublisherConfig, Queue, QueueNames,
};
use callout::Caller;
use duties::Parts;
use meters::Meters;
use ops::audit::{Auditor, Eyes};
use ops::process::{Config, Processor, Stuck};
use replies::Posting;
use runtime::{Exit, Failure, Health, HealthServer, OrExit, SystemClock, Tasks, listen};
use settings::Database;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use telemetry::Registry;
use tokio::sync::mpsc;

/// How long the relay leaves a dead letter to the worker's own publish.
const GRACE: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// How long a statement may take before Postgres counts as away.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Groups written in one transaction at most.
const APPLY_GROUPS: usize = 64;

/// Markers of audits that wait to be noted at most; one more is forgotten.
const MARKERS: usize = 64;

/// Runs until a signal, then finishes what it has begun; the rest, and what does not get finished in time, is given back.
pub(crate) async fn run(settings: RunSettings, tasks: Tasks) -> Result<Exit, Failure> {
    let clock = Arc::new(SystemClock);
    let worker = name();
    let store = open_store(&settings.database)?;
    let broker = broker_of(&settings.broker, &worker)?;

    let mut registry = Registry::default();
    let meters = Meters::registered(&mut registry);
    let reviewing = reviews::Reviewing::new(settings.review_policy).or_exit(Exit::Failure)?;
    reviewing.metrics.register(&mut registry);
    let budget = crate::api::budget(&settings.claude, &store, clock.clone(), meters.budget);
    let metrics = meters.processing;
    let claude = crate::api::client(&settings.claude, Some(metrics.clone()), Some(Arc::clone(&budget)))
        .or_exit(Exit::Usage)?;

    let internal = listen(settings.internal_listen, "--internal-listen (HOLDFAST_INTERNAL_LISTEN)")
        .or_exit(Exit::Usage)?;
    let (publisher, publishing) =
        Publisher::new(broker.clone(), PublisherConfig::default(), meters.broker.clone());
    let consumer = Consumer::new(
        broker.clone(),
        ConsumerConfig::new(Queue::Work, settings.prefetch),
        meters.broker.clone(),
    );
    let (markers, markers_seen) = mpsc::channel(MARKERS);
    let consumer = consumer.with_markers(markers);
    let eyes = Eyes { hands: consumer.hands(), link: consumer.state(), markers: markers_seen };
    let link = consumer.state();
    let processor = Processor::new(
        Config {
            concurrency: settings.concurrency,
            intake: usize::from(settings.prefetch),
            apply: APPLY_GROUPS,
            policy: settings.policy.clone(),
            grace: GRACE,
            worker: worker.clone(),
        },
        store.clone(),
        claude.clone(),
        publisher,
        clock.clone(),
        rand::random::<f64>,
        metrics.clone(),
    );
    let reconcile = reconcile::Settings { interval: settings.reconcile_interval, metrics: meters.reconcile };
    let processor = reconcile::watched(processor, &reconcile, &store, &claude, &tasks);

    let health =
        Health::new(tasks.shutdown().clone(), Arc::new(registry)).ready_when("rabbitmq", move || match *link
            .borrow()
        {
            LinkState::Up => Ok(()),
            LinkState::Down => Err("not connected".to_owned()),
        });
    budget.report_to(processor.progress());
    let (progress, limit) = (processor.progress(), watchdog::limit(settings.claude.timeout));
    let stuck = move || progress.stuck(Instant::now(), limit);
    let is_stuck = stuck.clone();
    let health =
        health.live_when("processor", move || is_stuck().map_or(Ok(()), |stuck| Err(stuck.to_string())));
    tasks.spawn_lasting("health", async { Ok(HealthServer::new(internal, health).serve().await?) });

    // The connections outlive the processor: what it finishes while draining is still acknowledged and published.
    let (soft, hard) = (tasks.shutdown().soft().clone(), tasks.shutdown().hard().clone());
    let (sink, deliveries) = mpsc::channel(usize::from(settings.prefetch));
    spawn_publisher(publishing, &tasks);
    let flow = processor.flow();
    let control = Control { flow: flow.clone(), drain: soft.clone(), close: hard.clone() };
    tasks.spawn_lasting("consumer", async move {
        consumer.run(sink, control).await;
        Ok(())
    });
    let drain = soft.clone();
    tasks.spawn_critical("processor", async move {
        processor.run(deliveries, drain).await;
        Ok(())
    });
    spawn_watchdog(stuck, &tasks);
    let audit = ops::audit::Config { interval: settings.audit_interval, ..ops::audit::Config::default() };
    let auditor =
        Auditor::new(audit, store.clone(), broker.clone(), clock.clone(), worker.clone(), meters.audit);
    spawn_auditor(auditor, eyes, &tasks);
    let alerts = alerts::Settings {
        metrics: meters.alerts,
        processing: metrics,
        sinks: alerts::sinks(&settings.sinks),
        caller: Caller::new().or_exit(Exit::Failure)?,
        watch: alerts::watch(settings.watch),
    };
    let parts = Parts { store: store.clone(), broker, claude, clock, worker, alerts, reconcile, reviewing };
    duties::spawn(&parts, &tasks);
    let posting = Posting {
        policy: settings.policy,
        lease: settings.reply_lease,
        flow,
        metrics: meters.replies,
        broker_metrics: meters.broker,
    };
    replies::spawn(&parts, posting, &tasks);
    tracing::info!(internal_address = %settings.internal_listen, prefetch = settings.prefetch, concurrency = settings.concurrency, "processing events");
    tasks.run_until_shutdown(settings.drain).await?;
    store.close().await;
    Ok(Exit::Ok)
}

fn spawn_watchdog(stuck: impl Fn() -> Option<Stuck> + Send + 'static, tasks: &Tasks) {
    let shutdown = tasks.shutdown().clone();
    tasks.spawn_critical("watchdog", async move {
        shutdown.or_soft(watchdog::watch(stuck, watchdog::CHECK)).await.unwrap_or(Ok(()))
    });
}

fn broker_of(settings: &settings::Broker, worker: &str) -> Result<Broker, Failure> {
    let url = settings.url.reveal().parse().context("--amqp-url (AMQP_URL)").or_exit(Exit::Usage)?;
    let names = QueueNames::new(&settings.prefix).or_exit(Exit::Usage)?;
    Ok(Broker { connection_name: worker.to_owned(), ..Broker::new(url, names) })
}

fn open_store(database: &Database) -> Result<Store, Failure> {
    Store::new(&store::Options {
        url: database.url.reveal().to_owned(),
        connections: database.connections,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Some(STATEMENT_TIMEOUT),
        application: "holdfast-worker",
        by_keys: true,
    })
    .or_exit(Exit::Usage)
}

/// As long as messages are in hand, somebody has to say so.
fn spawn_auditor(auditor: Auditor, eyes: Eyes, tasks: &Tasks) {
    let stop = tasks.shutdown().hard().clone();
    tasks.spawn_lasting("auditor", async move {
        auditor.run(eyes, stop).await;
        Ok(())
    });
}

/// A publisher outlives the processor: what that finishes while draining is still published.
fn spawn_publisher(publishing: broker::PublisherTask, tasks: &Tasks) {
    let stop = tasks.shutdown().hard().clone();
    tasks.spawn_lasting("publisher", async move {
        publishing.run(stop).await;
        Ok(())
    });
}

/// Tells this worker from others, in containers too, where every process has the same number.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{}", if host.is_empty() { "worker" } else { host }, std::process::id())
}
