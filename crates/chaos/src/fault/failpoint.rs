//! Death at a named line.

use super::Site;
use crate::scenario::{ApiTrouble, Failpoint, Link, Role, Trouble, Way};
use anyhow::Result;
use std::time::Duration;
use testkit::eventually;

/// Longest time until somebody passes the line.
const REACHED: Duration = Duration::from_secs(40);

/// Dead letters that settling and replaying begin with.
const LETTERS: u64 = 40;

/// How many of them are replayed before the rest is settled.
const REPLAYED: usize = 10;

impl Site<'_> {
    /// Prepares what the line needs, lets somebody die there, and heals.
    pub(super) async fn failpoint(&mut self, failpoint: Failpoint) -> Result<()> {
        let armed = format!("{}=abort@{}", failpoint.name, failpoint.pass);
        match failpoint.way {
            Way::Ingest => self.die(Role::Ingest, &armed).await?,
            Way::Worker => self.die(Role::Worker, &armed).await?,
            Way::IngestAlone => {
                self.system.links.trouble(&[Link::IngestPostgres], Trouble::Cut);
                self.die(Role::Ingest, &armed).await?;
            }
            Way::IngestWithRetries => {
                self.system.platform.fail(ApiTrouble::Flaky).await?;
                self.die(Role::Ingest, &armed).await?;
            }
            Way::WorkerWithDeadLetters => {
                self.make_dead_letters(1).await?;
                self.die(Role::Worker, &armed).await?;
            }
            Way::Settling => {
                self.make_dead_letters(LETTERS).await?;
                self.heal().await?;
                let query = format!(
                    "SELECT event_id AS text FROM events WHERE status = 'dead' ORDER BY id LIMIT {REPLAYED}"
                );
                let ids = self.system.storage.texts(&query).await?;
                let mut args = vec!["dlq", "replay", "--yes"];
                args.extend(ids.iter().map(String::as_str));
                self.command(&args, &armed).await?;
            }
            Way::Replaying => {
                self.make_dead_letters(LETTERS).await?;
                self.heal().await?;
                self.command(&["dlq", "replay", "--all", "--yes", "--rate", "40"], &armed).await?;
                let open = "SELECT id::text AS text FROM replays WHERE status = 'running'";
                for id in self.system.storage.texts(open).await? {
                    self.system.operator.must(&["dlq", "replay", "--resume", &id, "--yes"]).await?;
                }
            }
        }
        self.heal().await
    }

    async fn heal(&self) -> Result<()> {
        self.system.links.heal();
        self.system.platform.heal().await
    }

    /// Arms all processes of a role, waits until one has died, and replaces all by unarmed ones.
    async fn die(&mut self, role: Role, armed: &str) -> Result<()> {
        for node in self.system.nodes(role) {
            node.kill()?;
            node.respawn(armed)?;
            // It may die before it is ready, which is what it is for.
            let _died_first = node.wait_ready().await.is_err();
        }
        let died = eventually(REACHED, "a death", async || {
            for node in self.system.nodes(role) {
                if node.has_ended().await {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await;
        match died {
            Ok(()) => self.progress.say(&format!("died at {armed}")),
            Err(_elapsed) => self.complaints.push(format!("nobody passed {armed}")),
        }
        self.heal().await?;
        for node in self.system.nodes(role) {
            node.kill()?;
            node.restart().await?;
        }
        Ok(())
    }

    /// A command that must die at the line.
    async fn command(&mut self, args: &[&str], armed: &str) -> Result<()> {
        let answer = self.system.operator.worker_armed(args, armed).await?;
        match answer.code {
            None => self.progress.say(&format!("died at {armed}")),
            Some(code) => {
                self.complaints.push(format!("worker {args:?} passed no {armed}: {code} {}", answer.text));
            }
        }
        Ok(())
    }

    /// Breaks a few sessions until so many events are dead.
    async fn make_dead_letters(&mut self, count: u64) -> Result<()> {
        self.system.platform.fail(ApiTrouble::BrokenSessions).await?;
        eventually(REACHED * 3, "dead letters", async || {
            let query = "SELECT count(*) AS number FROM events WHERE status = 'dead'";
            Ok((self.system.storage.number(query).await? >= count).then_some(()))
        })
        .await
    }
}
