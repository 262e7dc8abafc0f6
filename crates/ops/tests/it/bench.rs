//! One test's stores, clock and simulated API, and what may run between them.

mod duties;
mod listener;
mod messages;
mod platform;
mod replies;

pub(crate) use duties::{Duty, Worker, processing, publisher};
pub(crate) use listener::Listener;
pub(crate) use messages::{event, message, platform_event, stored_message};
pub(crate) use platform::{Platform, client_of};
pub(crate) use replies::{Replier, answer};

use anyhow::{Context, Result, ensure};
use broker::{AmqpUrl, Broker, QueueNames};
use chrono::{DateTime, TimeDelta, Utc};
use domain::EventStatus;
use ops::Metrics;
use sqlx::{AssertSqlSafe, Row};
use std::sync::Arc;
use std::time::Duration;
use store::{Accepted, EventDetail, Intention, Ledger, NewEvent, Options, Store};
use testkit::broker::Peeked;
use testkit::{Database, ManualClock, QueuePrefix, eventually};

/// Long enough for anything that happens in these tests, a reconnect on a busy machine included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Cleans up: the database and the queues go with it.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: Metrics,
    pub(crate) queues: QueuePrefix,
    pub(crate) database: Database,
}

impl Bench {
    pub(crate) async fn new() -> Result<Self> {
        let (database, queues) = (Database::create().await?, QueuePrefix::new());
        let store = Store::new(&Options { acquire_timeout: PATIENCE, ..options(database.url()) })?;
        let broker = broker_at(&testkit::broker::url()?, &queues)?;
        let clock = Arc::new(ManualClock::at(noon()));
        Ok(Self { store, broker, clock, metrics: Metrics::default(), queues, database })
    }

    /// Stores events as if their deliveries had just been accepted. They are left to the relay, which takes them over ten
    /// seconds after noon.
    pub(crate) async fn accept(&self, events: &[NewEvent]) -> Result<()> {
        let mut connection = self.store.connection().await?;
        store::accept_batch(&mut connection, events, Some(after(10))).await?;
        Ok(())
    }

    /// Stores new events as if their messages had been published. Returns their numbers.
    pub(crate) async fn stored(&self, events: &[NewEvent]) -> Result<Vec<i64>> {
        let mut connection = self.store.connection().await?;
        let accepted = store::accept_batch(&mut connection, events, None).await?;
        let number = |outcome| match outcome {
            Accepted::New(number) => Ok(number),
            Accepted::Duplicate => anyhow::bail!("an event was known before"),
        };
        accepted.outcomes.into_iter().map(number).collect()
    }

    /// Stores new events, each with a message of its own that is due ten seconds after noon.
    pub(crate) async fn scheduled(&self, events: &[NewEvent]) -> Result<()> {
        let intention = |event| Intention {
            event,
            queue: store::Queue::Work,
            generation: 1,
            tries: 0,
            due_at: after(10),
        };
        let planned: Vec<Intention> = self.stored(events).await?.into_iter().map(intention).collect();
        let mut connection = self.store.connection().await?;
        store::schedule(&mut connection, &planned).await?;
        Ok(())
    }

    pub(crate) async fn ledger(&self) -> Result<Ledger> {
        let mut connection = self.store.connection().await?;
        Ok(store::ledger(&mut connection).await?)
    }

    /// All that the event's row says.
    pub(crate) async fn detail(&self, id: &str) -> Result<EventDetail> {
        let mut connection = self.store.connection().await?;
        let mut found = store::find_events(&mut connection, id, None).await?;
        found.pop().with_context(|| format!("{id} is not stored"))
    }

    /// Waits until the event's row is as wanted.
    pub(crate) async fn until(
        &self,
        id: &str,
        what: &str,
        wanted: impl Fn(&EventDetail) -> bool,
    ) -> Result<EventDetail> {
        eventually(PATIENCE, &format!("{id}: {what}"), async || {
            let detail = self.detail(id).await?;
            ensure!(wanted(&detail), "{:?}, due at {:?}", detail.row, detail.due_at);
            Ok(Some(detail))
        })
        .await
    }

    pub(crate) async fn until_status(&self, id: &str, status: EventStatus) -> Result<EventDetail> {
        self.until(id, status.as_str(), |detail| detail.row.status == status.as_str()).await
    }

    /// Waits until so many messages are ready in a queue.
    pub(crate) async fn until_ready(&self, queue: broker::Queue, expected: u32) -> Result<()> {
        let name = self.queue(queue);
        eventually(PATIENCE, &format!("{expected} messages in {queue}"), async || {
            let ready = testkit::broker::depth(&name).await?;
            ensure!(ready == expected, "there are {ready}");
            Ok(Some(()))
        })
        .await
    }

    /// Waits until so many events are to be published, for the first time or again.
    pub(crate) async fn until_outbox(&self, expected: i64) -> Result<()> {
        eventually(PATIENCE, &format!("{expected} events to be published"), async || {
            let events = self
                .number(
                    "SELECT (SELECT count(*) FROM outbox) + count(*) FROM bundles \
                     JOIN events ON events.id = ANY(bundles.events) AND status = 'pending' AND generation = 1 \
                         AND tries = 0 AND error_class IS NULL",
                )
                .await?;
            ensure!(events == expected, "there are {events}");
            Ok(Some(()))
        })
        .await
    }

    /// The messages that are ready in a queue; they stay there.
    pub(crate) async fn messages(&self, queue: broker::Queue) -> Result<Vec<Peeked>> {
        testkit::broker::get_all(&self.queue(queue)).await
    }

    /// How many messages are ready in the work queue, and how many events they carry. Each look counts as a delivery.
    pub(crate) async fn queued(&self) -> Result<(usize, u64)> {
        let messages = self.messages(broker::Queue::Work).await?;
        Ok((messages.len(), messages.iter().map(Peeked::events).sum()))
    }

    fn queue(&self, queue: broker::Queue) -> String {
        match queue {
            broker::Queue::Work => self.queues.work(),
            broker::Queue::Dead => self.queues.dead(),
            broker::Queue::Replies => self.queues.replies(),
        }
    }

    /// The one number that a statement gives.
    pub(crate) async fn number(&self, statement: &'static str) -> Result<i64> {
        Ok(sqlx::raw_sql(statement).fetch_one(self.database.pool()).await?.try_get(0)?)
    }

    /// The first column of all rows, as text.
    pub(crate) async fn texts(&self, statement: impl Into<String>) -> Result<Vec<String>> {
        let rows = sqlx::raw_sql(AssertSqlSafe(statement.into())).fetch_all(self.database.pool()).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// Moves the clock on by so many seconds.
    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The value of a metric as the listener would show it, `name{label="value"}`.
    pub(crate) fn metric(&self, name: &str) -> Result<f64> {
        let mut registry = prometheus_client::registry::Registry::default();
        self.metrics.register_ingest(&mut registry);
        self.metrics.register_worker(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(Ok(0.0), |value| Ok(value.trim().parse()?))
    }
}

/// A store for tests that take Postgres away: it gives up soon.
pub(crate) fn store_at(url: String) -> Result<Store> {
    Ok(Store::new(&options(url))?)
}

fn options(url: String) -> Options {
    Options {
        url,
        connections: 8,
        acquire_timeout: Duration::from_secs(2),
        statement_timeout: Some(Duration::from_secs(30)),
        application: "ops-tests",
        by_keys: true,
    }
}

pub(crate) fn broker_at(url: &str, queues: &QueuePrefix) -> Result<Broker> {
    let mut broker = Broker::new(url.parse::<AmqpUrl>()?, QueueNames::new(queues.as_str())?);
    // The shortest there is, so that a half-open connection is noticed within two seconds.
    broker.heartbeat = Duration::from_secs(1);
    Ok(broker)
}

/// Noon of the fifteenth of March, when all clocks of these tests stand still at first.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_576_000, 0).unwrap_or_default()
}

/// So many seconds after noon.
pub(crate) fn after(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}
