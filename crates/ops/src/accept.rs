//! Making events durable: many requests, one commit.
//!
//! Requests put their event into a bounded queue and wait. The committer takes all that has gathered while its last
//! commit ran, writes it in one transaction and answers everybody after the commit. There is no timer: a lone request
//! is committed at once, and under load batches grow by themselves. Only then are the events published; what does not
//! get confirmed is left to the relay.

mod committer;
mod first_publish;

pub use committer::Committer;
pub use first_publish::FirstPublish;
pub(crate) use first_publish::confirm;

use crate::Metrics;
use broker::Publisher;
use chrono::TimeDelta;
use domain::Clock;
use std::sync::Arc;
use store::{NewEvent, Store};
use tokio::sync::{mpsc, oneshot};

/// Bounds of the accept pipeline.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Requests that may wait for the committer; one more is turned away at once.
    pub queue: usize,
    /// Events in one commit at most.
    pub batch: usize,
    /// Accepted events that may wait for their first publish; more are left to the relay.
    pub publish_queue: usize,
    /// How long the relay leaves a fresh event to the first publish. Longer than a publish may take.
    pub grace: TimeDelta,
}

impl Default for Config {
    fn default() -> Self {
        Self { queue: 4096, batch: 256, publish_queue: 16_384, grace: TimeDelta::seconds(10) }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is committed.
    New,
    /// It had been committed before.
    Duplicate,
}

/// The event could not be made durable; nothing of it is left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// Too many requests are waiting.
    #[error("too many deliveries are waiting to be stored")]
    Overloaded,
    /// Postgres is away or refuses.
    #[error("the event could not be stored")]
    Unavailable,
}

pub(crate) struct Waiting {
    event: NewEvent,
    answer: oneshot::Sender<Result<Acceptance, NotAccepted>>,
}

/// The entrance of the pipeline. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    waiting: mpsc::Sender<Waiting>,
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
        let committer = Committer::new(config, arrivals, accepted, store.clone(), clock, metrics);
        (Self { waiting }, committer, FirstPublish::new(to_publish, publisher, store))
    }

    /// Waits until the event is committed.
    ///
    /// # Errors
    /// When too many are waiting, or Postgres is away.
    pub async fn accept(&self, event: NewEvent) -> Result<Acceptance, NotAccepted> {
        let (answer, outcome) = oneshot::channel();
        self.waiting.try_send(Waiting { event, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotAccepted::Overloaded,
            mpsc::error::TrySendError::Closed(_) => NotAccepted::Unavailable,
        })?;
        outcome.await.unwrap_or(Err(NotAccepted::Unavailable))
    }
}
