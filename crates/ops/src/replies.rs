//! Decisions go out: each is posted to its session once.
//!
//! A decision is an event of our own ([ADR 14](../../../docs/adr/0014-an-answer-is-an-event-of-our-own.md)), so it has tries,
//! a dead letter and a story as every event has. Its message comes from the queue `replies`. What is in hand for one session
//! goes out together:
//!
//! 1. **take**: one transaction lets go what is over and takes the rest for as long as a lease lasts; nobody else posts it;
//! 2. **look**: the session and its last events say what has been answered already, by whomever, and what is not waited for;
//! 3. **post** the rest in one call, which is never repeated in place when its answer is lost;
//! 4. **write** what came of it: replies, events, requests, in one transaction; then acknowledge.
//!
//! A worker that dies after the post leaves a reply that is taken. Whoever takes it when the lease is over looks first, and
//! finds it answered.

mod group;
mod intake;
mod keeper;
mod look;
mod metrics;
mod post;
mod take;
mod write;

pub use keeper::{Keeper, KeeperConfig, count_stray, requeue_stray};
pub use metrics::Metrics;

use crate::process::groups::{Groups, Key, Limits};
use broker::Delivery;
use domain::{Clock, RetryPolicy};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How a worker posts replies.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions that are posted to at the same time.
    pub concurrency: usize,
    /// How long the first of several replies waits for the others, so that those of one session share a call.
    pub linger: Duration,
    /// How long replies are this worker's own. Looking and posting may take three quarters of it, so that nobody else is at
    /// the same replies.
    pub lease: Duration,
    /// Tries and the rests between them.
    pub policy: RetryPolicy,
    /// Name of this process, in the record of tries.
    pub worker: String,
}

impl Config {
    /// Four sessions at a time, by these rules and under this name.
    #[must_use]
    pub const fn new(policy: RetryPolicy, worker: String) -> Self {
        Self {
            concurrency: 4,
            linger: Duration::from_millis(100),
            lease: Duration::from_mins(2),
            policy,
            worker,
        }
    }

    /// How long looking and posting may take.
    fn limit(&self) -> Duration {
        self.lease * 3 / 4
    }
}

/// What all steps need.
struct Context {
    config: Config,
    store: Store,
    claude: claude::Client,
    clock: Arc<dyn Clock>,
    /// A draw from 0 to 1, for jitter.
    dice: fn() -> f64,
    metrics: Metrics,
}

/// Posts replies.
pub struct Poster {
    context: Arc<Context>,
}

impl Poster {
    /// A poster. Any number of processes may have one.
    #[must_use]
    pub fn new(
        config: Config,
        store: Store,
        claude: claude::Client,
        clock: Arc<dyn Clock>,
        dice: fn() -> f64,
        metrics: Metrics,
    ) -> Self {
        Self { context: Arc::new(Context { config, store, claude, clock, dice, metrics }) }
    }

    /// Posts what comes in. After `drain`, finishes what it has begun and returns. Dropping the future gives everything
    /// else back to the broker when the consumer's connection closes.
    pub async fn run(self, mut deliveries: mpsc::Receiver<Delivery>, drain: CancellationToken) {
        let concurrency = self.context.config.concurrency;
        let mut groups = Groups::new(Limits { busy: concurrency, all: concurrency });
        let mut posting: JoinSet<Key> = JoinSet::new();
        let mut taken = Vec::new();
        let mut open = true;
        loop {
            let draining = drain.is_cancelled();
            while !draining && let Some(group) = groups.start_next() {
                let context = Arc::clone(&self.context);
                posting.spawn(async move {
                    let work = AssertUnwindSafe(group::run(&context, group.jobs)).catch_unwind();
                    if work.await.is_err() {
                        tracing::error!(
                            "posting replies panicked; they are looked at again when their lease is over"
                        );
                    }
                    group.key
                });
            }
            if (draining && posting.is_empty()) || (!open && groups.is_idle()) {
                return;
            }
            tokio::select! {
                biased;
                Some(ended) = posting.join_next() => {
                    groups.make_room();
                    if let Ok(key) = ended {
                        groups.finish(&key);
                    }
                }
                count = deliveries.recv_many(&mut taken, intake::AT_ONCE), if open && !draining => {
                    open = count > 0;
                    if open {
                        tokio::time::sleep(self.context.config.linger).await;
                    }
                    while taken.len() < intake::AT_ONCE && let Ok(delivery) = deliveries.try_recv() {
                        taken.push(delivery);
                    }
                    for (key, job) in intake::run(&self.context, std::mem::take(&mut taken)).await {
                        groups.put(key, job);
                    }
                }
                () = drain.cancelled(), if !draining => {}
            }
        }
    }
}
