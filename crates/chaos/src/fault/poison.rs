//! A message that kills every worker that reads it.

use super::Site;
use crate::scenario::Role;
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The event that kills.
const EVENT: &str = "whe_poison";

/// Longest time until RabbitMQ has given up on it: some twenty crashes, and settling.
const LONGEST: Duration = Duration::from_mins(5);

impl Site<'_> {
    /// Replaces the workers by ones that die of one event, delivers it, and starts them again and again until the event
    /// is dead. It must be in `dlq list` then.
    pub(super) async fn poison(&mut self) -> Result<()> {
        let armed = format!("intake.read[{EVENT}]=abort");
        for node in self.system.nodes(Role::Worker) {
            node.kill()?;
            node.respawn(&armed)?;
        }
        let session = self.system.platform.sessions.first().context("no session")?.clone();
        self.load.deliver(EVENT, &session).await;
        let (began, mut crashes) = (Instant::now(), 0);
        while !self.is_dead().await? {
            if began.elapsed() > LONGEST {
                self.complaints.push(format!("{EVENT} is not dead after {crashes} crashes"));
                break;
            }
            for node in self.system.nodes(Role::Worker) {
                if node.has_ended().await {
                    crashes += 1;
                    node.respawn(&armed)?;
                }
            }
            sleep(Duration::from_millis(200)).await;
        }
        self.progress.say(&format!("{crashes} crashes"));
        let listed = self.system.operator.must(&["dlq", "list", "--json"]).await?;
        if !listed.contains(EVENT) {
            self.complaints.push(format!("{EVENT} is not in dlq list"));
        }
        for node in self.system.nodes(Role::Worker) {
            node.kill()?;
            node.restart().await?;
        }
        Ok(())
    }

    async fn is_dead(&self) -> Result<bool> {
        let query =
            format!("SELECT count(*) AS number FROM events WHERE event_id = '{EVENT}' AND status = 'dead'");
        Ok(self.system.storage.number(&query).await? > 0)
    }
}
