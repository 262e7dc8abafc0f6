//! A whole system: ingest, workers, the simulated platform, and an operator.

use crate::node::{Node, Role};
use crate::operator;
use crate::stack::Stack;
use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::Duration;
use testkit::{broker, eventually};

/// Longest time for what takes seconds on a quiet machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A running system. The processes come before the stack, so that they are gone before their database is.
pub(crate) struct System {
    pub(crate) ingests: Vec<Node>,
    pub(crate) workers: Vec<Node>,
    pub(crate) stage: Stage,
    pub(crate) stack: Stack,
}

impl System {
    /// One ingest and one worker.
    pub(crate) async fn start() -> Result<Self> {
        Self::start_on(Stack::new().await?).await
    }

    /// One ingest and one worker, with settings of the test's own.
    pub(crate) async fn start_on(stack: Stack) -> Result<Self> {
        let mut system = Self::without_processes(stack).await?;
        system.add(Role::Ingest).await?;
        system.add(Role::Worker).await?;
        Ok(system)
    }

    /// Only the platform, and storage.
    pub(crate) async fn without_processes(mut stack: Stack) -> Result<Self> {
        let stage = Stage::start(&stack).await?;
        stack.set("ANTHROPIC_BASE_URL", stage.api_url());
        Ok(Self { ingests: Vec::new(), workers: Vec::new(), stage, stack })
    }

    /// One more process. Webhooks go to the first ingest.
    pub(crate) async fn add(&mut self, role: Role) -> Result<()> {
        let node = Node::start(role, &self.stack).await?;
        match role {
            Role::Ingest => {
                if self.ingests.is_empty() {
                    self.stage.send_to(&node.webhook_url()).await?;
                }
                self.ingests.push(node);
            }
            Role::Worker => self.workers.push(node),
        }
        Ok(())
    }

    /// Kills a worker and starts it again.
    pub(crate) async fn crash_worker(&mut self, index: usize) -> Result<()> {
        let worker = self.workers.get_mut(index).context("no such worker")?;
        worker.kill()?;
        worker.restart(&self.stack).await
    }

    /// Kills an ingest and starts it again.
    pub(crate) async fn crash_ingest(&mut self, index: usize) -> Result<()> {
        let ingest = self.ingests.get_mut(index).context("no such ingest")?;
        ingest.kill()?;
        ingest.restart(&self.stack).await
    }

    /// How many events are in their final state.
    pub(crate) async fn finished(&self) -> Result<u64> {
        self.stack.number("SELECT count(*) AS number FROM events WHERE status <> 'pending'").await
    }

    /// Waits until this many events are stored and all are in their final state.
    pub(crate) async fn all_finished(&self, events: u64) -> Result<()> {
        eventually(PATIENCE, "all events to be in their final state", async || {
            let query = "SELECT status, count(*) FROM events GROUP BY status ORDER BY status";
            let found = self.stack.rows(query).await?;
            let stored = self.stack.number("SELECT count(*) AS number FROM events").await?;
            ensure!(stored == events && self.finished().await? == events, "{found:?}");
            Ok(Some(()))
        })
        .await
    }

    /// Waits until an event has this status, and returns its story as `worker events show` tells it.
    pub(crate) async fn event(&self, id: &str, status: &str) -> Result<Value> {
        let query =
            format!("SELECT status, tries, generation, last_error FROM events WHERE event_id = '{id}'");
        eventually(PATIENCE, &format!("{id} to be {status}"), async || {
            let rows = self.stack.rows(&query).await?;
            let found = rows.first().and_then(|row| row.get("status")?.as_str());
            ensure!(found == Some(status), "{rows:?}");
            Ok(Some(()))
        })
        .await?;
        self.ask(&["events", "show", id]).await
    }

    /// Waits until the dead-letter queue in RabbitMQ has this many messages.
    pub(crate) async fn dead_messages(&self, count: u32) -> Result<()> {
        eventually(PATIENCE, "the dead-letter queue", async || {
            let found = broker::depth(&self.stack.queues.dead()).await?;
            ensure!(found == count, "{found} messages instead of {count}");
            Ok(Some(()))
        })
        .await
    }

    /// What `worker … --json` prints; it must succeed.
    pub(crate) async fn ask(&self, args: &[&str]) -> Result<Value> {
        operator::ask(&self.stack, args).await
    }

    /// Checks what must hold after everything: the sum of all events is right, nothing waits to be published, the work
    /// queue is empty, and both sides of the dead-letter queue agree. Returns the ledger.
    pub(crate) async fn balanced(&self) -> Result<Value> {
        let ledger = self.ask(&["events", "stats"]).await?;
        let sum: u64 = ["pending", "applied", "superseded", "ignored", "dead", "discarded"]
            .into_iter()
            .filter_map(|status| ledger.get(status)?.as_u64())
            .sum();
        ensure!(ledger.get("accepted").and_then(Value::as_u64) == Some(sum), "{ledger}");
        eventually(PATIENCE, "empty queues", async || {
            let outbox = self
                .stack
                .number("SELECT (SELECT count(*) FROM bundles) + count(*) AS number FROM outbox")
                .await?;
            let work = broker::depth(&self.stack.queues.work()).await?;
            ensure!((outbox, work) == (0, 0), "outbox {outbox}, work {work}");
            Ok(Some(()))
        })
        .await?;
        eventually(PATIENCE, "agreement on the dead letters", async || {
            let check = operator::worker(&self.stack, &["dlq", "check"]).await?;
            ensure!(check.code == Some(0), "{check:?}");
            Ok(Some(()))
        })
        .await?;
        Ok(ledger)
    }
}
