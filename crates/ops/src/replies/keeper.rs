//! Replies that the broker has lost: found when the queue is empty in two looks in a row, and queued again.
//!
//! The queue is empty of what is *ready*; a message may still be in the hands of a worker that has not begun with it. Its
//! reply then gets a second message, which is let go where the first one has been dealt with.

use super::Metrics;
use crate::dead::SettleError;
use broker::{Broker, Inspector};
use domain::Clock;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Store, StrayReply};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// Replies that are looked at together.
const CHUNK: i64 = 1_000;

/// How long a statement may take.
const LIMIT: Duration = Duration::from_secs(15);

/// How replies are looked after.
#[derive(Debug, Clone, Copy)]
pub struct KeeperConfig {
    /// Time between two looks.
    pub every: Duration,
}

impl Default for KeeperConfig {
    fn default() -> Self {
        Self { every: Duration::from_secs(20) }
    }
}

/// Looks after replies that are to be posted. Any number may run: one at a time looks.
pub struct Keeper {
    config: KeeperConfig,
    store: Store,
    broker: Broker,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Keeper {
    /// A keeper.
    #[must_use]
    pub fn new(
        config: KeeperConfig,
        store: Store,
        broker: Broker,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self { config, store, broker, clock, metrics }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        let mut before = Vec::new();
        while !stop.is_cancelled() {
            let look = tokio::select! {
                look = self.look(&before) => look,
                () = stop.cancelled() => return,
            };
            before = look.unwrap_or_else(|error| {
                if let Some(suppressed) = log.admit("look", Instant::now()) {
                    tracing::warn!(error = %Chain(&error), suppressed, "replies not looked after");
                }
                Vec::new()
            });
            tokio::select! {
                () = tokio::time::sleep(self.config.every) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One look. Queues again what was stray `before` and is now, and gives what is stray otherwise.
    async fn look(&self, before: &[StrayReply]) -> Result<Vec<StrayReply>, SettleError> {
        let figures = async {
            let mut connection = self.store.connection().await?;
            store::reply_figures(&mut connection).await
        };
        let figures = self.store.within(LIMIT, "count replies", figures).await?;
        self.metrics.show(&figures, self.clock.now());
        if figures.open == 0 {
            return Ok(Vec::new());
        }
        // The right is held by a transaction that does nothing else, and goes with it however this ends.
        let mut election = self.store.begin("elect who looks after replies").await?;
        if !store::try_lock_replies(&mut election).await? {
            return Ok(Vec::new());
        }
        let stray = stray(&self.store, &self.broker, &*self.clock).await?;
        let lost: Vec<StrayReply> = stray.iter().filter(|stray| before.contains(stray)).cloned().collect();
        let requeued = requeue(&self.store, &*self.clock, &lost).await?;
        election.commit().await?;
        if !requeued.is_empty() {
            self.metrics.count_requeued(requeued.len());
            tracing::error!(
                requeued = requeued.len(),
                examples = requeued.iter().take(10).cloned().collect::<Vec<_>>().join(" "),
                "RabbitMQ has lost replies; they are queued again"
            );
        }
        Ok(stray.into_iter().filter(|stray| !requeued.contains(&stray.event_id)).collect())
    }
}

/// The replies that have no message, if the queue is empty; none otherwise, because then that cannot be told.
async fn stray(store: &Store, broker: &Broker, clock: &dyn Clock) -> Result<Vec<StrayReply>, SettleError> {
    let reading = async {
        let mut connection = store.connection().await?;
        store::stray_replies(&mut connection, clock.now(), CHUNK).await
    };
    // First the rows and then the queue: what is published in between was in the outbox, and no stray.
    let stray = store.within(LIMIT, "look for lost replies", reading).await?;
    if stray.is_empty() {
        return Ok(stray);
    }
    let inspector = Inspector::connect(broker).await?;
    let depths = inspector.depths().await?;
    inspector.close().await;
    Ok(if depths.replies.messages == 0 { stray } else { Vec::new() })
}

/// Queues stray replies again. Returns the ids of the events of those that were still stray.
async fn requeue(store: &Store, clock: &dyn Clock, lost: &[StrayReply]) -> Result<Vec<String>, store::Error> {
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let requeueing = async {
        let mut tx = store.begin("queue lost replies again").await?;
        let requeued = store::requeue_replies(&mut tx, lost, clock.now()).await?;
        tx.commit().await?;
        Ok::<_, store::Error>(requeued)
    };
    let requeued: BTreeSet<i64> =
        store.within(LIMIT, "queue lost replies again", requeueing).await?.into_iter().collect();
    Ok(lost.iter().filter(|lost| requeued.contains(&lost.event)).map(|lost| lost.event_id.clone()).collect())
}

/// The replies that are stray in two looks, `pause` apart.
///
/// # Errors
/// When either store is away.
pub async fn count_stray(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    pause: Duration,
) -> Result<Vec<StrayReply>, SettleError> {
    let first = stray(store, broker, clock).await?;
    if first.is_empty() {
        return Ok(first);
    }
    tokio::time::sleep(pause).await;
    let second = stray(store, broker, clock).await?;
    Ok(second.into_iter().filter(|stray| first.contains(stray)).collect())
}

/// Queues again what [`count_stray`] has found. Returns the ids of their events.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn requeue_stray(
    store: &Store,
    clock: &dyn Clock,
    stray: &[StrayReply],
) -> Result<Vec<String>, store::Error> {
    requeue(store, clock, stray).await
}
