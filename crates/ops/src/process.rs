//! From a delivered message to a changed resource.
//!
//! Three stages, each of which takes what has gathered before it:
//!
//! 1. **intake** reads messages, asks the store once for all of them what is known, and lets go what is over;
//! 2. **look** fetches each resource once for all its waiting events, several resources at the same time;
//! 3. **apply** decides and writes everything in one transaction, then acknowledges.
//!
//! Events of one resource are never in two groups at a time. A message is acknowledged after the commit and never
//! before, so that a process that dies gives back all it held.

mod apply;
mod bundle;
mod failure;
mod groups;
mod intake;
mod job;
mod look;
mod outcome;
mod write;

pub use failure::FailedTry;

use crate::Metrics;
use broker::{Delivery, Publisher};
use chrono::TimeDelta;
use domain::{Clock, RetryPolicy};
use groups::Groups;
use look::Looked;
use std::sync::Arc;
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Config {
    /// Resources that are fetched at the same time.
    pub concurrency: usize,
    /// Messages taken in at once.
    pub intake: usize,
    /// Groups written in one transaction at most.
    pub apply: usize,
    /// Tries and the rests between them.
    pub policy: RetryPolicy,
    /// How long the relay leaves a dead letter to this worker's own publish.
    pub grace: TimeDelta,
    /// Name of this process, in the record of tries.
    pub worker: String,
}

/// What all stages need.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) claude: claude::Client,
    pub(crate) publisher: Publisher,
    pub(crate) clock: Arc<dyn Clock>,
    /// A draw from 0 to 1, for jitter.
    pub(crate) dice: fn() -> f64,
    pub(crate) metrics: Metrics,
}

/// Processes messages.
pub struct Processor {
    context: Arc<Context>,
}

impl Processor {
    /// A processor.
    #[must_use]
    pub fn new(
        config: Config,
        store: Store,
        claude: claude::Client,
        publisher: Publisher,
        clock: Arc<dyn Clock>,
        dice: fn() -> f64,
        metrics: Metrics,
    ) -> Self {
        let context = Context { config, store, claude, publisher, clock, dice, metrics };
        Self { context: Arc::new(context) }
    }

    /// Processes what comes in. After `drain`, finishes what it has begun and returns. Dropping the future gives all
    /// unfinished messages back to the broker when the consumer's connection closes.
    pub async fn run(self, mut deliveries: mpsc::Receiver<Delivery>, drain: CancellationToken) {
        let (to_apply, looked) = mpsc::channel::<Looked>(self.context.config.apply.saturating_mul(2).max(2));
        let (released, mut done) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(apply::run(Arc::clone(&self.context), looked, released));

        let mut groups = Groups::new(self.context.config.concurrency);
        let mut looking: JoinSet<Option<Looked>> = JoinSet::new();
        let mut taken = Vec::new();
        let mut open = true;
        loop {
            // What has not begun by then is given back: others can begin it at once.
            let draining = drain.is_cancelled();
            while !draining && let Some(group) = groups.start_next() {
                looking.spawn(look::run(Arc::clone(&self.context), group));
            }
            if (draining && !groups.is_working()) || (!open && groups.is_idle()) {
                break;
            }
            tokio::select! {
                biased;
                Some(resource) = done.recv() => groups.finish(&resource),
                Some(result) = looking.join_next() => {
                    if let Ok(Some(looked)) = result
                        && to_apply.send(looked).await.is_err()
                    {
                        break;
                    }
                }
                count = deliveries.recv_many(&mut taken, self.context.config.intake), if open && !draining => {
                    open = count > 0;
                    for job in intake::run(&self.context, std::mem::take(&mut taken)).await {
                        groups.add(job);
                    }
                }
                () = drain.cancelled(), if !draining => {}
            }
        }
        drop(to_apply);
        while tasks.join_next().await.is_some() {}
    }
}

/// Every task of a group ends in a [`Looked`]; the key under which the group is released afterwards.
pub(crate) type GroupKey = groups::Key;
