//! A database and queues of its own for a test, filled as ingest and workers would, and the binary to look at them.

use anyhow::{Context, Result, bail, ensure};
use broker::{Broker, Publisher, PublisherConfig, Queue, QueueNames};
use bytes::Bytes;
use chrono::TimeDelta;
use domain::{EndpointName, FailureClass};
use serde_json::Value;
use std::time::Duration;
use store::{Failure, NewEvent, Source, Store};
use testkit::clock::real_now;
use testkit::{Database, Process, QueuePrefix, eventually, payload, process};
use tokio_util::sync::CancellationToken;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const SESSION: &str = "sesn_01TestSession";
pub(crate) const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// Where a test takes place.
pub(crate) struct Lab {
    pub(crate) database: Database,
    pub(crate) queues: QueuePrefix,
    pub(crate) store: Store,
}

impl Lab {
    /// A migrated database; queues appear when somebody declares them.
    pub(crate) async fn new() -> Result<Self> {
        let database = Database::create().await?;
        let store = open(&database.url())?;
        Ok(Self { database, queues: QueuePrefix::new(), store })
    }

    /// Runs a command to its end.
    pub(crate) async fn worker(&self, args: &[&str]) -> Result<Said> {
        let (database, amqp) = (self.database.url(), testkit::broker::url()?);
        worker(args, &self.envs(&database, &amqp)).await
    }

    /// Starts a command.
    pub(crate) fn spawn(&self, args: &[&str]) -> Result<Process> {
        let (database, amqp) = (self.database.url(), testkit::broker::url()?);
        Process::spawn("worker", args, &self.envs(&database, &amqp))
    }

    fn envs<'a>(&'a self, database: &'a str, amqp: &'a str) -> [(&'a str, &'a str); 3] {
        [("DATABASE_URL", database), ("AMQP_URL", amqp), ("HOLDFAST_QUEUE_PREFIX", self.queues.as_str())]
    }

    /// Accepts one event of this type, as ingest does. Returns its id.
    pub(crate) async fn accept(&self, event_type: &str) -> Result<String> {
        let id = payload::event_id();
        self.accept_at("default", &id, event_type).await?;
        Ok(id)
    }

    /// Accepts one event at an endpoint.
    pub(crate) async fn accept_at(&self, endpoint: &str, id: &str, event_type: &str) -> Result<()> {
        let now = real_now();
        let body = Bytes::from(payload::platform(id, event_type, SESSION, now).to_string());
        let event = NewEvent {
            endpoint: EndpointName::new(endpoint)?,
            event: domain::envelope::parse(&body)?,
            source: Source::Webhook,
            received_at: now,
            payload: body,
            content_type: Some("application/json".to_owned()),
            traceparent: Some(format!("00-{TRACE_ID}-b7ad6b7169203331-01")),
        };
        let mut tx = self.store.begin("test").await?;
        store::accept_batch(&mut tx, &[event], Some(now + TimeDelta::hours(1))).await?;
        tx.commit().await?;
        Ok(())
    }

    /// As if RabbitMQ had confirmed everything that was accepted.
    pub(crate) async fn published(&self) -> Result<()> {
        let mut connection = self.store.connection().await?;
        let (due, lease) = (real_now() + TimeDelta::hours(2), real_now() + TimeDelta::hours(3));
        let bundles = store::claim_bundles(&mut connection, due, lease, 1_000).await?;
        let bundles: Vec<i64> = bundles.iter().map(|bundle| bundle.id).collect();
        Ok(store::confirm_bundles(&mut connection, &bundles).await?)
    }

    /// Lets an event fail three times, as a worker would record it. Its copy for the broker is not published.
    pub(crate) async fn kill(&self, id: &str, class: FailureClass, error: &str) -> Result<()> {
        let event = self.row(id).await?;
        let now = real_now();
        let mut tx = self.store.begin("test").await?;
        for tries in 1..=3 {
            let failure = Failure {
                event,
                generation: 1,
                tries,
                counts: true,
                dead: tries == 3,
                started_at: now,
                class,
                error: error.to_owned(),
                request_id: Some("req_01".to_owned()),
            };
            store::record_failures(&mut tx, &[failure], "worker-test", now).await?;
        }
        store::unschedule(&mut tx, &[event]).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Accepts an event and lets it die. Returns its id.
    pub(crate) async fn dead(&self, event_type: &str) -> Result<String> {
        let id = self.accept(event_type).await?;
        self.kill(&id, FailureClass::Transient, "the API answered 500").await?;
        Ok(id)
    }

    /// Publishes the broker's copy of a dead letter.
    pub(crate) async fn publish_dead(&self, id: &str) -> Result<()> {
        let message = broker::Message {
            event_id: id.to_owned(),
            endpoint: "default".to_owned(),
            payload: Bytes::from_static(b"{}"),
            content_type: None,
            received_at: real_now(),
            generation: 1,
            tries: 3,
            traceparent: None,
            failure: Some(broker::Failure { class: FailureClass::Transient, reason: "500".to_owned() }),
        };
        let broker = Broker::new(testkit::broker::url()?.parse()?, QueueNames::new(self.queues.as_str())?);
        let (publisher, task) =
            Publisher::new(broker, PublisherConfig::default(), broker::Metrics::default());
        let publishing = eventually(PATIENCE, "a confirmed copy", async || {
            Ok(Some(publisher.publish(Queue::Dead, &message).await?))
        });
        tokio::select! {
            () = task.run(CancellationToken::new()) => bail!("the publisher ended"),
            confirmed = publishing => confirmed,
        }
    }

    /// Waits until the broker's dead-letter queue has so many messages ready.
    pub(crate) async fn wait_for_copies(&self, expected: u32) -> Result<()> {
        let queue = self.queues.dead();
        eventually(PATIENCE, "the right number of copies", async || {
            let depth = testkit::broker::depth(&queue).await?;
            ensure!(depth == expected, "there are {depth} in {queue}");
            Ok(Some(()))
        })
        .await
    }

    /// Our number of an event.
    pub(crate) async fn row(&self, id: &str) -> Result<i64> {
        let mut connection = self.store.connection().await?;
        let found = store::find_events(&mut connection, id, None).await?;
        Ok(found.first().context("the event is not stored")?.row.row)
    }
}

/// A pool for the test itself.
pub(crate) fn open(url: &str) -> Result<Store> {
    Ok(Store::new(&store::Options {
        url: url.to_owned(),
        connections: 2,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: None,
        application: "test",
        by_keys: false,
    })?)
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The JSON on standard output.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no JSON: {self:?}"))
    }
}

/// Runs a command with these variables and no others.
pub(crate) async fn worker(args: &[&str], envs: &[(&str, &str)]) -> Result<Said> {
    let output = process::run("worker", args, envs, PATIENCE).await?;
    Ok(Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}
