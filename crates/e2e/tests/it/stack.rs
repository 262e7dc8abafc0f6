//! Where one system keeps its things, and the settings that all its processes share.

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use testkit::{Database, QueuePrefix, broker, deliver};

/// A database, queues, secrets and settings of its own.
pub(crate) struct Stack {
    pub(crate) database: Database,
    pub(crate) queues: QueuePrefix,
    /// With which webhooks are signed.
    pub(crate) secret: String,
    /// The only key that the simulated API accepts.
    pub(crate) api_key: String,
    settings: Vec<(&'static str, String)>,
}

impl Stack {
    pub(crate) async fn new() -> Result<Self> {
        let (database, queues) = (Database::create().await?, QueuePrefix::new());
        let secret = deliver::random_secret();
        let api_key = format!("sk-ant-{:032x}", rand::random::<u128>());
        let settings = vec![
            ("DATABASE_URL", database.url()),
            ("AMQP_URL", broker::url()?),
            ("HOLDFAST_QUEUE_PREFIX", queues.as_str().to_owned()),
            ("ANTHROPIC_WEBHOOK_SIGNING_KEY", secret.clone()),
            ("ANTHROPIC_API_KEY", api_key.clone()),
            ("HOLDFAST_RETRY_DELAYS", "200ms,400ms".to_owned()),
            ("HOLDFAST_API_READS_PER_MINUTE", "0".to_owned()),
            ("HOLDFAST_API_WRITES_PER_MINUTE", "0".to_owned()),
            ("HOLDFAST_HTTP_THREADS", "2".to_owned()),
            // Only what is delivered counts, but in the tests that set this.
            ("HOLDFAST_RECONCILE_INTERVAL", "0s".to_owned()),
            // Some systems are up at a time, and the server has 100 connections.
            ("HOLDFAST_DATABASE_CONNECTIONS", "5".to_owned()),
        ];
        Ok(Self { database, queues, secret, api_key, settings })
    }

    /// Sets an environment variable of all processes that are started from now on.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.into()));
    }

    /// The environment of the processes.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// The rows of a query, each as a JSON object.
    pub(crate) async fn rows(&self, query: &str) -> Result<Vec<Value>> {
        let query = format!("SELECT to_jsonb(answer) FROM ({query}) AS answer");
        let rows = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(self.database.pool());
        rows.await.context("the test's own query failed")
    }

    /// The one number that a query answers in a column `number`.
    pub(crate) async fn number(&self, query: &str) -> Result<u64> {
        let rows = self.rows(query).await?;
        rows.first().and_then(|row| row.get("number")?.as_u64()).context("no number")
    }
}
