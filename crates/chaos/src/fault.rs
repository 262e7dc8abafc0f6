//! Carrying out what a scenario describes.

mod crashes;
mod failpoint;
mod poison;
mod wipe;

use crate::load::Load;
use crate::pace::{Dice, Pace};
use crate::progress::Progress;
use crate::scenario::{ApiTrouble, Fault, Link, Trouble};
use crate::servers::Servers;
use crate::system::System;
use anyhow::Result;
use tokio::time::sleep;

/// How far off the sender's clock is, one after the other, in seconds. The replay window is 300.
const SKEWS: [i64; 4] = [240, -240, 400, -400];

/// Where faults happen.
pub(crate) struct Site<'a> {
    pub(crate) system: &'a mut System,
    pub(crate) servers: &'a Servers,
    pub(crate) load: &'a Load,
    pub(crate) pace: Pace,
    pub(crate) dice: Dice,
    pub(crate) progress: &'a Progress,
    /// What did not go as the scenario wants it.
    pub(crate) complaints: Vec<String>,
}

impl Site<'_> {
    /// Breaks what the scenario says, and returns when all of it is healed.
    pub(crate) async fn inflict(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Nothing => sleep(self.pace.length).await,
            Fault::Crashes(role) => self.crash_processes(role).await?,
            Fault::ServerCrashes(server) => self.crash_server(server).await?,
            Fault::Away(servers) => self.take_away(servers).await?,
            Fault::RollingRestarts => self.roll().await?,
            Fault::Network(links, trouble) => self.network(links, trouble).await,
            Fault::Api(trouble) => self.api(trouble).await?,
            Fault::Wiped(wipe) => self.wipe(wipe).await?,
            Fault::Skew => self.skew().await,
            Fault::Failpoint(failpoint) => self.failpoint(failpoint).await?,
            Fault::Poison => self.poison().await?,
        }
        let ended = self.system.revive().await?;
        if ended > 0 {
            self.complaints.push(format!("{ended} processes ended by themselves"));
        }
        Ok(())
    }

    async fn network(&self, links: &[Link], trouble: Trouble) {
        self.progress.say(&format!("{trouble:?}: {links:?}"));
        self.system.links.trouble(links, trouble);
        sleep(self.pace.length).await;
        self.system.links.heal();
    }

    async fn api(&self, trouble: ApiTrouble) -> Result<()> {
        self.progress.say(&format!("API: {trouble:?}"));
        self.system.platform.fail(trouble).await?;
        sleep(self.pace.length).await;
        self.system.platform.heal().await
    }

    async fn skew(&self) {
        let share = self.pace.length / u32::try_from(SKEWS.len()).unwrap_or(1);
        for seconds in SKEWS {
            self.progress.say(&format!("the sender's clock is {seconds} s off"));
            self.load.skew(seconds);
            sleep(share).await;
        }
        self.load.skew(0);
    }
}
