//! Wiring: adapters, use cases and duties of one ingest process, and the order in which they end.

use crate::args::Settings;
use crate::routes::{Shared, configure};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::Context;
use broker::{Broker, Publisher, PublisherConfig, QueueNames};
use ops::Metrics;
use ops::accept::Acceptor;
use ops::receive::{Receiver, Verification};
use ops::relay::Relay;
use runtime::{Exit, Failure, Health, HealthServer, OrExit, SystemClock, Tasks, listen};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use telemetry::Registry;
use tokio::sync::Notify;

/// How long a statement may take before Postgres counts as away.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs until a signal, then drains: no more requests, then no more commits, then no more publishes.
pub(crate) async fn serve(settings: Settings, tasks: Tasks) -> Result<Exit, Failure> {
    let clock = Arc::new(SystemClock);
    let store = Store::new(&store::Options {
        url: settings.database.url.reveal().to_owned(),
        connections: settings.database.connections,
        // Longer than a login takes on a busy machine. Whoever cannot wait so long has a deadline of its own.
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Some(STATEMENT_TIMEOUT),
        application: "holdfast-ingest",
        by_keys: true,
    })
    .context("--database-url (DATABASE_URL)")
    .or_exit(Exit::Usage)?;
    let url = settings.broker.url.reveal().parse().context("--amqp-url (AMQP_URL)").or_exit(Exit::Usage)?;
    let names = QueueNames::new(&settings.broker.prefix).or_exit(Exit::Usage)?;
    let listener = listen(settings.listen, "--listen (HOLDFAST_LISTEN)").or_exit(Exit::Usage)?;
    let internal = listen(settings.internal_listen, "--internal-listen (HOLDFAST_INTERNAL_LISTEN)")
        .or_exit(Exit::Usage)?;
    let broker = Broker { connection_name: "holdfast-ingest".to_owned(), ..Broker::new(url, names) };

    let mut registry = Registry::default();
    let (metrics, broker_metrics) = (Metrics::default(), broker::Metrics::default());
    metrics.register_ingest(&mut registry);
    broker_metrics.register(&mut registry);
    let (publisher, publishing) = Publisher::new(broker, PublisherConfig::default(), broker_metrics);
    let (acceptor, committer, first_publish) = Acceptor::new(
        ops::accept::Config::default(),
        store.clone(),
        publisher.clone(),
        clock.clone(),
        metrics.clone(),
    );
    let relay = Relay::new(
        ops::relay::Config::default(),
        store.clone(),
        publisher.clone(),
        clock.clone(),
        metrics.clone(),
        Arc::new(Notify::new()),
    );

    let schema = store.check_schema().await;
    if let Err(error) = &schema {
        tracing::warn!(error = %telemetry::Chain(error), "starting without a usable database");
    }
    let health = health(&tasks, registry, &store, &publisher, schema.is_err());
    tasks.spawn_lasting("health", async { Ok(HealthServer::new(internal, health).serve().await?) });

    // The publisher outlives those who publish, and these outlive the server: each ends when those before it are gone.
    let hard = tasks.shutdown().hard().clone();
    tasks.spawn_lasting("publisher", async move {
        publishing.run(hard).await;
        Ok(())
    });
    tasks.spawn_critical("committer", async {
        committer.run().await;
        Ok(())
    });
    tasks.spawn_critical("first publish", async {
        first_publish.run().await;
        Ok(())
    });
    let soft = tasks.shutdown().soft().clone();
    tasks.spawn_critical("relay", async {
        relay.run(soft).await;
        Ok(())
    });
    let verification = Verification {
        secrets: settings.signatures.secrets,
        schemes: settings.signatures.schemes,
        tolerance_seconds: settings.signatures.tolerance_seconds,
    };
    let (receiver, quarantine) = Receiver::new(verification, acceptor, store.clone(), clock, metrics.clone());
    tasks.spawn_critical("quarantine", async {
        quarantine.run().await;
        Ok(())
    });
    let pulse = receiver.pulse_writer(store.clone(), process());
    let soft = tasks.shutdown().soft().clone();
    tasks.spawn_critical("endpoint health", async move {
        pulse.run(soft).await;
        Ok(())
    });
    let shared = Shared {
        receiver,
        metrics,
        body_limit: settings.body_limit,
        shutdown: tasks.shutdown().clone(),
        traced: settings.traced,
    };
    tasks.spawn_critical(
        "server",
        http(listener, shared, settings.http_threads, settings.drain_delay, settings.drain),
    );
    tracing::info!(address = %settings.listen, internal_address = %settings.internal_listen, "receiving webhooks");
    tasks.run_until_shutdown(settings.drain_delay + settings.drain).await?;
    store.close().await;
    Ok(Exit::Ok)
}

/// Tells this process from others, in containers too, where every process has the same number.
fn process() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{}", if host.is_empty() { "ingest" } else { host }, std::process::id())
}

/// The public server. On shutdown it goes on for `delay`, then takes no new connections and finishes what is open.
async fn http(
    listener: TcpListener,
    shared: Shared,
    threads: usize,
    delay: Duration,
    drain: Duration,
) -> anyhow::Result<()> {
    let shutdown = shared.shutdown.clone();
    let shared = Data::new(shared);
    let server = {
        let app = move || App::new().app_data(shared.clone()).configure(configure);
        let mut server = HttpServer::new(app)
            .disable_signals()
            .keep_alive(Duration::from_secs(75))
            .client_request_timeout(Duration::from_secs(10))
            .shutdown_timeout(drain.as_secs().max(1));
        if threads > 0 {
            server = server.workers(threads);
        }
        server.listen(listener)?.run()
    };
    let handle = server.handle();
    let mut server = std::pin::pin!(server);
    tokio::select! {
        broken = &mut server => return Ok(broken?),
        () = async {
            shutdown.soft().cancelled().await;
            tokio::time::sleep(delay).await;
        } => {}
    }
    let (stopped, ()) = tokio::join!(server, handle.stop(true));
    Ok(stopped?)
}

/// Ready while either store is there: one of them is enough to make an event durable.
fn health(
    tasks: &Tasks,
    registry: Registry,
    store: &Store,
    publisher: &Publisher,
    postgres_is_away: bool,
) -> Health {
    let away = Arc::new(std::sync::atomic::AtomicBool::new(postgres_is_away));
    watch_postgres(tasks, store.clone(), Arc::clone(&away));
    let publisher = publisher.clone();
    Health::new(tasks.shutdown().clone(), Arc::new(registry)).ready_when("stores", move || {
        let postgres_is_away = away.load(std::sync::atomic::Ordering::Relaxed);
        if postgres_is_away && !publisher.is_connected() {
            return Err("neither Postgres nor RabbitMQ can be used".to_owned());
        }
        Ok(())
    })
}

/// Asks Postgres once a second, so that a probe never waits for it.
fn watch_postgres(tasks: &Tasks, store: Store, away: Arc<std::sync::atomic::AtomicBool>) {
    let soft = tasks.shutdown().soft().clone();
    tasks.spawn("postgres watch", async move {
        while !soft.is_cancelled() {
            let mut asking = std::pin::pin!(store.check_schema());
            let answered = match tokio::time::timeout(Duration::from_secs(2), &mut asking).await {
                Ok(answered) => answered,
                Err(_elapsed) => {
                    away.store(true, std::sync::atomic::Ordering::Relaxed);
                    // Asked to the end: this may be a login, which on a busy machine takes longer than anybody else here
                    // waits for one. Each of them would begin anew, and none would ever come through.
                    asking.await
                }
            };
            away.store(answered.is_err(), std::sync::atomic::Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = soft.cancelled() => {}
            }
        }
    });
}
