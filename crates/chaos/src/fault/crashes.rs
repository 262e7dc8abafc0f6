//! Processes and servers that die and come back.

use super::Site;
use crate::scenario::{Role, Server};
use anyhow::{Context, Result};
use tokio::time::sleep;

impl Site<'_> {
    /// Kills one process of a role at a time, at random moments, and starts it again.
    pub(super) async fn crash_processes(&mut self, role: Role) -> Result<()> {
        for round in 1..=self.pace.rounds {
            sleep(self.dice.between(200, 2_000)).await;
            let down = self.dice.between(0, 500);
            let nodes = self.system.nodes(role);
            let victim = self.dice.below(nodes.len());
            let node = nodes.get_mut(victim).context("no such process")?;
            node.kill()?;
            self.progress.say(&format!("{} {victim} killed, round {round}", node.name()));
            sleep(down).await;
            node.restart().await?;
        }
        Ok(())
    }

    /// Kills a server at random moments, and starts it again.
    pub(super) async fn crash_server(&mut self, server: Server) -> Result<()> {
        for round in 1..=self.pace.rounds {
            sleep(self.dice.between(1_000, 4_000)).await;
            self.servers.kill(server).await?;
            self.progress.say(&format!("{server:?} killed, round {round}"));
            sleep(self.dice.between(0, 1_500)).await;
            self.servers.start().await?;
        }
        Ok(())
    }

    /// Takes servers away for the length of a fault.
    pub(super) async fn take_away(&mut self, servers: &[Server]) -> Result<()> {
        for server in servers {
            self.servers.kill(*server).await?;
        }
        self.progress.say(&format!("{servers:?} away"));
        sleep(self.pace.length).await;
        self.servers.start().await
    }

    /// Replaces every process by a new one, in an orderly way.
    pub(super) async fn roll(&mut self) -> Result<()> {
        for round in 1..=self.pace.rounds.div_ceil(2) {
            self.progress.say(&format!("rolling restarts, round {round}"));
            let system = &mut *self.system;
            for node in system.ingests.iter_mut().chain(&mut system.workers) {
                sleep(self.dice.between(200, 1_000)).await;
                node.roll().await?;
            }
        }
        Ok(())
    }
}
