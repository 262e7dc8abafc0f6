//! A RabbitMQ that forgets.

use super::Site;
use crate::scenario::{Link, Server, Trouble, Wipe};
use anyhow::Result;
use testkit::broker;
use tokio::time::sleep;

impl Site<'_> {
    /// Lets messages gather without workers, because there must be something to forget, then forgets them.
    pub(super) async fn wipe(&mut self, wipe: Wipe) -> Result<()> {
        self.system.links.trouble(&[Link::WorkerRabbitMq], Trouble::Cut);
        sleep(self.pace.length / 2).await;
        match wipe {
            Wipe::Queues => {
                let queues = &self.system.storage.queues;
                for queue in [queues.work(), queues.dead()] {
                    broker::delete(&queue).await?;
                }
            }
            Wipe::Data => {
                self.servers.kill(Server::RabbitMq).await?;
                self.servers.forget_messages().await?;
                self.servers.start().await?;
            }
        }
        self.progress.say(&format!("wiped: {wipe:?}"));
        self.system.links.heal();
        sleep(self.pace.length / 2).await;
        // What an operator would do; what it finds shows in the verdict.
        let audit = self.system.operator.worker(&["audit"]).await?;
        self.progress.say(&format!("worker audit ended with {:?}", audit.code));
        Ok(())
    }
}
