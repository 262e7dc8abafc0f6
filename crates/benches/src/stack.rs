//! The storage of one measurement: a database and queues that nobody else uses.

use crate::load::Deliveries;
use anyhow::{Context, Result, ensure};
use signing::Secret;
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use testkit::{Database, QueuePrefix, broker, deliver, eventually};

/// Events that are stored and not yet confirmed by the broker.
const UNPUBLISHED: &str =
    "SELECT (SELECT coalesce(sum(cardinality(events)), 0) FROM bundles) + (SELECT count(*) FROM outbox)";

/// A database, queues and a secret. Gone when it is dropped.
pub(crate) struct Stack {
    database: Database,
    pub(crate) queues: QueuePrefix,
    pub(crate) secret: String,
    pub(crate) amqp_url: String,
}

/// Numbers the loads of this process.
static LOADS: AtomicU32 = AtomicU32::new(0);

impl Stack {
    pub(crate) async fn new() -> Result<Self> {
        let (database, queues) = (Database::create().await?, QueuePrefix::new());
        Ok(Self { database, queues, secret: deliver::random_secret(), amqp_url: broker::url()? })
    }

    /// New deliveries, to so many sessions.
    pub(crate) fn deliveries(&self, sessions: u64) -> Result<Deliveries> {
        let run = format!("{:04x}{:04x}", std::process::id() & 0xffff, LOADS.fetch_add(1, Ordering::Relaxed));
        Ok(Deliveries::new(Secret::parse(&self.secret)?, &run, sessions))
    }

    /// The settings that every program of ours needs.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", self.database.url()),
            ("AMQP_URL", self.amqp_url.clone()),
            ("HOLDFAST_QUEUE_PREFIX", self.queues.as_str().to_owned()),
            ("ANTHROPIC_WEBHOOK_SIGNING_KEY", self.secret.clone()),
        ]
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// The one number that a query of the benchmark's own answers.
    pub(crate) async fn number(&self, query: &str) -> Result<f64> {
        let statement = format!("SELECT ({query})::float8");
        let row = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(self.pool()).await;
        row.and_then(|row| row.try_get(0)).with_context(|| format!("no number from: {query}"))
    }

    /// Runs a statement of the benchmark's own.
    pub(crate) async fn execute(&self, statement: String) -> Result<()> {
        let context = format!("cannot run: {statement}");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(self.pool()).await.context(context)?;
        Ok(())
    }

    /// How many events the broker has not confirmed yet.
    pub(crate) async fn unpublished(&self) -> Result<f64> {
        self.number(UNPUBLISHED).await
    }

    /// Waits until the broker has confirmed everything.
    pub(crate) async fn until_published(&self, deadline: Duration) -> Result<()> {
        eventually(deadline, "everything to be published", async || {
            let left = self.unpublished().await?;
            ensure!(left == 0.0, "{left} events are not");
            Ok(Some(()))
        })
        .await
    }

    /// Waits until no event is pending.
    pub(crate) async fn until_finished(&self, deadline: Duration) -> Result<()> {
        eventually(deadline, "all events to be in their final state", async || {
            let pending = "SELECT count(*) FROM (SELECT FROM events WHERE status = 'pending' LIMIT 1) AS one";
            ensure!(self.number(pending).await? == 0.0, "some are pending");
            Ok(Some(()))
        })
        .await
    }
}
