//! What every test here starts from: a database and queues of its own, and processes on them.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use std::time::Duration;
use testkit::process::free_port;
use testkit::{Database, Deliverer, Process, QueuePrefix, broker, deliver};

/// Longest time for what takes milliseconds on a quiet machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How often another free port is tried when somebody else took it between finding and binding it.
const PORT_ATTEMPTS: u32 = 5;

/// The exit code of a process that cannot listen.
const USAGE: i32 = 64;

/// Storage of one stack. Declare it before the processes on it, so that they are gone before it is.
pub(crate) struct Bench {
    pub(crate) database: Database,
    pub(crate) queues: QueuePrefix,
    pub(crate) secret: String,
}

impl Bench {
    pub(crate) async fn new() -> Result<Self> {
        Ok(Self {
            database: Database::create().await?,
            queues: QueuePrefix::new(),
            secret: deliver::random_secret(),
        })
    }

    /// An `ingest` that is ready. `settings` are environment variables that replace or add to the usual ones.
    pub(crate) async fn ingest(&self, settings: &[(&str, &str)]) -> Result<Ingest> {
        for _ in 0..PORT_ATTEMPTS {
            let mut ingest = self.spawn(settings)?;
            let ready = ingest.internal_url("/readyz");
            match ingest.process.wait_ready(&ready, PATIENCE).await {
                Ok(()) => return Ok(ingest),
                Err(error) if !ingest.could_not_listen().await => return Err(error),
                Err(_port_was_taken) => {}
            }
        }
        bail!("no port stays free for long enough")
    }

    /// An `ingest` that was started a moment ago.
    pub(crate) fn spawn(&self, settings: &[(&str, &str)]) -> Result<Ingest> {
        let (port, internal_port) = (free_port()?, free_port()?);
        let (listen, internal) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{internal_port}"));
        let (database, amqp) = (self.database.url(), broker::url()?);
        let mut environment = vec![
            ("DATABASE_URL", database.as_str()),
            ("AMQP_URL", amqp.as_str()),
            ("ANTHROPIC_WEBHOOK_SIGNING_KEY", self.secret.as_str()),
            ("HOLDFAST_QUEUE_PREFIX", self.queues.as_str()),
            ("HOLDFAST_LISTEN", listen.as_str()),
            ("HOLDFAST_INTERNAL_LISTEN", internal.as_str()),
            ("HOLDFAST_HTTP_THREADS", "2"),
        ];
        // Later ones win.
        environment.extend_from_slice(settings);
        let process = Process::spawn("ingest", &[], &environment)?;
        let sender = Deliverer::new(format!("http://{listen}/webhooks/default"), &self.secret)?;
        Ok(Ingest { process, port, internal_port, sender })
    }

    /// The rows of a query, each as a JSON object.
    pub(crate) async fn rows(&self, query: &str) -> Result<Vec<Value>> {
        let query = format!("SELECT to_jsonb(answer) FROM ({query}) AS answer");
        let rows = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(self.database.pool());
        rows.await.context("the test's own query failed")
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> Result<u64> {
        let rows = self.rows(&format!("SELECT count(*) AS number FROM {table}")).await?;
        rows.first().and_then(|row| row.get("number")?.as_u64()).context("no number")
    }
}

/// A running `ingest`.
pub(crate) struct Ingest {
    pub(crate) process: Process,
    pub(crate) port: u16,
    pub(crate) internal_port: u16,
    /// Sends to `/webhooks/default`, rightly signed.
    pub(crate) sender: Deliverer,
}

impl Ingest {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn internal_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.internal_port)
    }

    /// Status and body of a page of the internal listener.
    pub(crate) async fn internal(&self, path: &str) -> Result<(u16, String)> {
        let answer = reqwest::get(self.internal_url(path)).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    async fn could_not_listen(&mut self) -> bool {
        let ended = self.process.wait_exit(Duration::from_millis(100)).await;
        ended.is_ok_and(|status| status.code() == Some(USAGE))
    }
}
