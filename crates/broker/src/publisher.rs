//! Publishing with confirms, over a connection that is rebuilt when it breaks.
//!
//! [`Publisher`] is the handle that everybody clones; [`PublisherTask`] owns the connection and is spawned once by the
//! caller. The handle never waits for a connection: while there is none, a publish fails at once, and whoever keeps
//! the truth (a row in the outbox) tries again later.

use crate::metrics::Direction;
use crate::supervision::Supervision;
use crate::{Broker, LinkState, Message, Metrics, Queue, message};
use bytes::Bytes;
use lapin::{BasicProperties, ConnectionStatus};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

mod failure;
mod session;
mod task;

pub use failure::PublishError;
pub use task::PublisherTask;

/// Settings of a publisher.
#[derive(Debug, Clone, Copy)]
pub struct PublisherConfig {
    /// How long a publish may take from the call to the broker's confirm.
    pub confirm_timeout: Duration,
    /// How many publishes may wait for their confirm at the same time; the next ones wait for room.
    pub max_in_flight: usize,
    /// When nothing at all was confirmed for so long, although publishes wait for it, the connection is rebuilt.
    pub stall_timeout: Duration,
}

impl Default for PublisherConfig {
    /// 5 s, 4096 and 30 s.
    fn default() -> Self {
        Self {
            confirm_timeout: Duration::from_secs(5),
            max_in_flight: 4096,
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// One message on its way to the task. Holds its place among those in flight until it is answered or dropped.
#[derive(Debug)]
struct Outgoing {
    queue: Queue,
    properties: BasicProperties,
    payload: Bytes,
    reply: Reply,
    place: OwnedSemaphorePermit,
}

type Reply = oneshot::Sender<Result<(), PublishError>>;

/// Publishes messages. Cheap to clone; all clones share one connection.
#[derive(Debug, Clone)]
pub struct Publisher {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    places: Arc<Semaphore>,
    state: watch::Receiver<LinkState>,
    /// The client library's view of the connection; it outlives the session, so `state` has to be asked first.
    connection: watch::Receiver<ConnectionStatus>,
    confirm_timeout: Duration,
    metrics: Metrics,
}

impl Publisher {
    /// A publisher and its task, which connects once it runs.
    #[must_use]
    pub fn new(broker: Broker, config: PublisherConfig, metrics: Metrics) -> (Self, PublisherTask) {
        let supervision = Supervision::new(Direction::Publish, metrics.clone());
        // Unbounded in type only: every message in it holds one of the places.
        let (outgoing, incoming) = mpsc::unbounded_channel();
        let (connection_sender, connection) = watch::channel(ConnectionStatus::default());
        let publisher = Self {
            outgoing,
            places: Arc::new(Semaphore::new(config.max_in_flight)),
            state: supervision.state(),
            connection,
            confirm_timeout: config.confirm_timeout,
            metrics,
        };
        (publisher, PublisherTask::new(broker, config, supervision, connection_sender, incoming))
    }

    /// Whether a publish has a chance right now: there is a connection, and RabbitMQ takes messages on it. While RabbitMQ
    /// is short of memory or disk, it tells whoever publishes that it does not.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.obstacle().is_none()
    }

    fn obstacle(&self) -> Option<PublishError> {
        if *self.state.borrow() == LinkState::Down || self.outgoing.is_closed() {
            Some(PublishError::Disconnected)
        } else if self.connection.borrow().blocked() {
            Some(PublishError::Blocked)
        } else {
            None
        }
    }

    /// The state of the connection, to be watched.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// Publishes one message and waits until the broker has it on disk. Many tasks may do so at once.
    ///
    /// # Errors
    /// When the message is not known to be stored, see [`PublishError`]. It may still be stored after
    /// [`PublishError::Unconfirmed`]; publishing it again is right, since whoever reads it knows duplicates.
    pub async fn publish(&self, queue: Queue, message: &Message) -> Result<(), PublishError> {
        let deadline = Instant::now() + self.confirm_timeout;
        let outcome = match self.submit(queue, std::slice::from_ref(message), deadline).await {
            Ok(reply) => answer(reply, deadline).await,
            Err(error) => Err(error),
        };
        self.metrics.count_publish(queue, &outcome);
        outcome
    }

    /// Publishes many messages without waiting for one confirm before the next message. The outcomes are in the order
    /// of the messages, each on its own.
    pub async fn publish_all(&self, queue: Queue, messages: &[Message]) -> Vec<Result<(), PublishError>> {
        self.publish_runs(queue, messages.iter().map(std::slice::from_ref)).await
    }

    /// As [`publish_all`](Self::publish_all), with several events in one message: for first publishes, where the work of
    /// the broker per message would be most of what an event costs. Events of one message share its outcome.
    pub async fn publish_bundled(&self, queue: Queue, messages: &[Message]) -> Vec<Result<(), PublishError>> {
        self.publish_runs(queue, message::runs(messages)).await
    }

    async fn publish_runs<'a>(
        &self,
        queue: Queue,
        runs: impl Iterator<Item = &'a [Message]>,
    ) -> Vec<Result<(), PublishError>> {
        let mut replies = Vec::new();
        // Each place that became free is progress; without any for the whole timeout, the rest fails at once.
        let mut deadline = Instant::now() + self.confirm_timeout;
        for run in runs {
            let reply = self.submit(queue, run, deadline).await;
            if reply.is_ok() {
                deadline = Instant::now() + self.confirm_timeout;
            }
            replies.push((run.len(), reply));
        }
        let mut outcomes = Vec::new();
        for (events, reply) in replies {
            let outcome = match reply {
                Ok(reply) => answer(reply, deadline).await,
                Err(error) => Err(error),
            };
            self.metrics.count_publish(queue, &outcome);
            outcomes.extend(std::iter::repeat_n(outcome, events));
        }
        outcomes
    }

    /// Hands a message of one event or of several to the task as soon as there is room.
    async fn submit(
        &self,
        queue: Queue,
        events: &[Message],
        deadline: Instant,
    ) -> Result<oneshot::Receiver<Result<(), PublishError>>, PublishError> {
        if let Some(obstacle) = self.obstacle() {
            return Err(obstacle);
        }
        let (properties, payload) = match events {
            [message] => (message::encode(message)?, message.payload.clone()),
            several => message::encode_bundle(several),
        };
        let place = match timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_never_closed)) => return Err(PublishError::Disconnected),
            Err(_elapsed) => return Err(PublishError::Overloaded),
        };
        let (reply, answer) = oneshot::channel();
        self.outgoing
            .send(Outgoing { queue, properties, payload, reply, place })
            .map_err(|_task_is_gone| PublishError::Disconnected)?;
        Ok(answer)
    }
}

async fn answer(
    reply: oneshot::Receiver<Result<(), PublishError>>,
    deadline: Instant,
) -> Result<(), PublishError> {
    match timeout_at(deadline, reply).await {
        Ok(Ok(outcome)) => outcome,
        // The session ended after the message was written, or the broker is slow: it may have the message.
        Ok(Err(_)) | Err(_) => Err(PublishError::Unconfirmed),
    }
}
