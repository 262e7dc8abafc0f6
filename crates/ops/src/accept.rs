//! Making events durable: many requests, one commit.
//!
//! Requests put their event into a bounded queue and wait. The committer takes all that has gathered while its last
//! commit ran, writes it in one transaction and answers everybody after the commit. There is no timer: a lone request
//! is committed at once, and under load batches grow by themselves. Only then are the events published; what does not
//! get confirmed is left to the relay. While Postgres is away, the order is the other way round: a confirmed publish
//! makes the event durable, and whoever comes first stores the row: a worker, or this process when Postgres is back.

mod away;
mod backfill;
mod committer;
mod first_publish;

pub use committer::Committer;
pub use first_publish::FirstPublish;
pub(crate) use first_publish::{confirm, settle};

use crate::Metrics;
use broker::Publisher;
use chrono::TimeDelta;
use domain::Clock;
use std::sync::Arc;
use std::time::Duration;
use store::{NewEvent, Store};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Bounds of the accept pipeline.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Requests that may wait for the committer; one more is turned away at once.
    pub queue: usize,
    /// Payload bytes that may wait for the committer together; more is turned away at once, however few requests it is.
    pub bytes: usize,
    /// Events in one commit at most.
    pub batch: usize,
    /// Commits whose events may wait for their first publish; more are left to the relay.
    pub publish_queue: usize,
    /// How long the relay leaves a fresh event to the first publish. Longer than a publish may take.
    pub grace: TimeDelta,
    /// How long a commit may take before Postgres counts as away, while RabbitMQ could take the events.
    pub deadline: Duration,
    /// The same while RabbitMQ is away.
    pub patience: Duration,
    /// How long Postgres is left alone after it was away.
    pub away: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            queue: 4096,
            bytes: 64 * 1024 * 1024,
            batch: 256,
            publish_queue: 64,
            grace: TimeDelta::seconds(10),
            deadline: Duration::from_secs(1),
            patience: Duration::from_secs(8),
            away: Duration::from_millis(500),
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is durable now.
    New,
    /// It had been durable before.
    Duplicate,
}

/// The event could not be made durable. If something of it was, the sender's next attempt is a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// Too many requests are waiting.
    #[error("too many deliveries are waiting to be stored")]
    Overloaded,
    /// Neither Postgres nor RabbitMQ takes it.
    #[error("the event could not be stored")]
    Unavailable,
}

pub(crate) struct Waiting {
    event: NewEvent,
    answer: Answer,
}

/// The way back to a sender.
struct Answer(oneshot::Sender<Result<Acceptance, NotAccepted>>);

impl Answer {
    fn send(self, outcome: Result<Acceptance, NotAccepted>) {
        let _sender_gave_up = self.0.send(outcome).is_err();
    }
}

/// The entrance of the pipeline. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    waiting: mpsc::Sender<Waiting>,
    /// One permit per payload byte that may still wait.
    room: Arc<Semaphore>,
}

impl Acceptor {
    /// A pipeline: the entrance, and the two duties that must run behind it.
    #[must_use]
    pub fn new(
        config: Config,
        store: Store,
        publisher: Publisher,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> (Self, Committer, FirstPublish) {
        let (waiting, arrivals) = mpsc::channel(config.queue);
        let (accepted, to_publish) = mpsc::channel(config.publish_queue);
        let committer = Committer::new(
            config,
            arrivals,
            accepted,
            store.clone(),
            publisher.clone(),
            clock.clone(),
            metrics,
        );
        let room = Arc::new(Semaphore::new(config.bytes));
        (Self { waiting, room }, committer, FirstPublish::new(to_publish, publisher, store, clock))
    }

    /// Waits until the event is durable.
    ///
    /// # Errors
    /// When too many are waiting, or neither store takes it.
    pub async fn accept(&self, event: NewEvent) -> Result<Acceptance, NotAccepted> {
        let bytes = u32::try_from(event.payload.len()).unwrap_or(u32::MAX);
        // Held until the answer: what is committed or refused waits no longer.
        let _room = self.room.try_acquire_many(bytes).map_err(|_full| NotAccepted::Overloaded)?;
        let (answer, outcome) = oneshot::channel();
        self.waiting.try_send(Waiting { event, answer: Answer(answer) }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotAccepted::Overloaded,
            mpsc::error::TrySendError::Closed(_) => NotAccepted::Unavailable,
        })?;
        outcome.await.unwrap_or(Err(NotAccepted::Unavailable))
    }
}
