//! What is asked of the stores, past the proxies.

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use testkit::{Database, QueuePrefix, broker};

/// A database and queues of one scenario. Both are gone with the value.
pub(crate) struct Storage {
    pub(crate) database: Database,
    pub(crate) queues: QueuePrefix,
}

impl Storage {
    pub(crate) async fn create() -> Result<Self> {
        Ok(Self { database: Database::create().await?, queues: QueuePrefix::new() })
    }

    /// The rows of a query, each as a JSON object.
    pub(crate) async fn rows(&self, query: &str) -> Result<Vec<Value>> {
        let query = format!("SELECT to_jsonb(answer) FROM ({query}) AS answer");
        let rows = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(self.database.pool());
        rows.await.context("a query of the verdict failed")
    }

    /// The texts in the column `text` of a query.
    pub(crate) async fn texts(&self, query: &str) -> Result<Vec<String>> {
        let rows = self.rows(query).await?;
        Ok(rows.iter().filter_map(|row| row.get("text")?.as_str()).map(str::to_owned).collect())
    }

    /// The one number in the column `number` of a query.
    pub(crate) async fn number(&self, query: &str) -> Result<u64> {
        let rows = self.rows(query).await?;
        rows.first().and_then(|row| row.get("number")?.as_u64()).context("no number")
    }

    /// Messages that are ready in the work queue.
    pub(crate) async fn work_depth(&self) -> Result<u32> {
        broker::depth(&self.queues.work()).await
    }
}
