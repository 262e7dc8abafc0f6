//! The one duty that makes events durable: in Postgres, or, while Postgres is away, in RabbitMQ.

use super::away::Away;
use super::{Acceptance, Config, NotAccepted, Waiting};
use crate::Metrics;
use crate::message::first_message;
use broker::{Message, Publisher, Queue};
use domain::Clock;
use failpoints::failpoint;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Accepted, NewEvent, Store, Ticket};
use telemetry::{Chain, LogLimiter};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Commits what has gathered, over and over.
pub struct Committer {
    config: Config,
    arrivals: mpsc::Receiver<Waiting>,
    accepted: mpsc::Sender<(NewEvent, Ticket)>,
    store: Store,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    postgres: Away,
    log: LogLimiter,
}

/// Rest before a slow Postgres is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// Why a batch was not committed.
enum NotCommitted {
    /// Postgres is away, or too slow. The batch may or may not have been committed.
    Away(String),
    /// Postgres objects to something in the batch.
    Refused(store::Error),
}

impl Committer {
    pub(super) fn new(
        config: Config,
        arrivals: mpsc::Receiver<Waiting>,
        accepted: mpsc::Sender<(NewEvent, Ticket)>,
        store: Store,
        publisher: Publisher,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        let log = LogLimiter::new(Duration::from_secs(10));
        let postgres = Away::new(config.away);
        Self { config, arrivals, accepted, store, publisher, clock, metrics, postgres, log }
    }

    /// Runs until every [`super::Acceptor`] is gone and all that waited is answered.
    pub async fn run(mut self) {
        let mut batch = Vec::new();
        while self.arrivals.recv_many(&mut batch, self.config.batch).await > 0 {
            self.metrics.observe_accept_batch(batch.len());
            self.take(std::mem::take(&mut batch)).await;
        }
    }

    async fn take(&mut self, batch: Vec<Waiting>) {
        if self.postgres.is_away(Instant::now()) && self.publisher.is_connected() {
            return self.hand_to_broker(batch).await;
        }
        let events: Vec<NewEvent> = batch.iter().map(|waiting| waiting.event.clone()).collect();
        match self.commit(&events).await {
            Ok(outcomes) => {
                self.postgres.is_back();
                self.metrics.count_accepted("postgres", batch.len());
                for (waiting, outcome) in batch.into_iter().zip(outcomes) {
                    self.accept(waiting, outcome);
                }
            }
            Err(NotCommitted::Away(why)) => {
                self.postgres.failed(Instant::now());
                if let Some(suppressed) = self.log.admit("away", Instant::now()) {
                    tracing::error!(
                        error = why,
                        suppressed,
                        "Postgres is away; events go straight to RabbitMQ"
                    );
                }
                self.hand_to_broker(batch).await;
            }
            Err(NotCommitted::Refused(error)) if batch.len() > 1 => {
                tracing::error!(error = %Chain(&error), events = batch.len(), "batch refused; storing one by one");
                for waiting in batch {
                    Box::pin(self.take(vec![waiting])).await;
                }
            }
            Err(NotCommitted::Refused(error)) => {
                for waiting in batch {
                    tracing::error!(error = %Chain(&error), event.id = %waiting.event.event.id, "event refused by Postgres");
                    waiting.answer(Err(NotAccepted::Unavailable));
                }
            }
        }
    }

    /// Answers a sender after the commit, and passes a new event on to its first publish.
    fn accept(&self, waiting: Waiting, outcome: Accepted) {
        let Waiting { event, answer } = waiting;
        let acceptance = match outcome {
            Accepted::New(ticket) => {
                // Full: the relay publishes it when its grace is over.
                let _left_to_the_relay = self.accepted.try_send((event, ticket)).is_err();
                Acceptance::New
            }
            Accepted::Duplicate => Acceptance::Duplicate,
        };
        let _sender_gave_up = answer.send(Ok(acceptance)).is_err();
    }

    async fn commit(&self, events: &[NewEvent]) -> Result<Vec<Accepted>, NotCommitted> {
        let begun = Instant::now();
        loop {
            // While RabbitMQ could take the events, a slow Postgres is not waited for; otherwise it is all there is.
            let left = self.config.patience.saturating_sub(begun.elapsed());
            let limit = if self.publisher.is_connected() { self.config.deadline } else { left };
            let outcome = match timeout(limit, self.write(events)).await {
                Ok(outcome) => outcome,
                Err(_elapsed) => Err(NotCommitted::Away(format!("no commit within {limit:?}"))),
            };
            // RabbitMQ may have gone in the meantime, and a pool without a free connection gives up before the patience
            // ends. What fails at once is away and not slow.
            let slow = begun.elapsed() >= self.config.deadline && begun.elapsed() < self.config.patience;
            if !(slow && matches!(outcome, Err(NotCommitted::Away(_))) && !self.publisher.is_connected()) {
                return outcome;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn write(&self, events: &[NewEvent]) -> Result<Vec<Accepted>, NotCommitted> {
        let away = |error: store::Error| NotCommitted::Away(Chain(&error).to_string());
        let due = self.clock.now() + self.config.grace;
        // Whatever keeps us from beginning (a refused login, too) says nothing against the events.
        let mut tx = self.store.begin("accept").await.map_err(away)?;
        let outcomes = match store::accept_batch(&mut tx, events, due).await {
            Err(error) if error.is_about_the_data() => {
                return Err(NotCommitted::Refused(error));
            }
            outcomes => outcomes.map_err(away)?,
        };
        tx.commit().await.map_err(away)?;
        failpoint!("accept.committed");
        Ok(outcomes)
    }

    /// Makes events durable by a confirmed publish: the message alone is enough for a worker to store the row. Whether
    /// an event was known cannot be told here; the worker tells, and does nothing twice.
    async fn hand_to_broker(&mut self, batch: Vec<Waiting>) {
        let was_connected = self.publisher.is_connected();
        let messages: Vec<Message> = batch.iter().map(|waiting| first_message(&waiting.event)).collect();
        let outcomes = self.publisher.publish_all(Queue::Work, &messages).await;
        failpoint!("accept.confirmed");
        let mut left = Vec::new();
        let mut why = None;
        for (waiting, outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => {
                    self.metrics.count_accepted("rabbitmq", 1);
                    waiting.answer(Ok(Acceptance::New));
                }
                Err(error) => {
                    why = Some(error);
                    left.push(waiting);
                }
            }
        }
        let Some(error) = why else { return };
        // RabbitMQ went or fell silent in the meantime, which may have taken seconds: Postgres may be back. Where RabbitMQ
        // was away from the beginning, Postgres has had all the time there is.
        if was_connected {
            let events: Vec<NewEvent> = left.iter().map(|waiting| waiting.event.clone()).collect();
            if let Ok(outcomes) = self.commit(&events).await {
                self.postgres.is_back();
                self.metrics.count_accepted("postgres", left.len());
                for (waiting, outcome) in left.into_iter().zip(outcomes) {
                    self.accept(waiting, outcome);
                }
                return;
            }
        }
        if let Some(suppressed) = self.log.admit("both away", Instant::now()) {
            tracing::error!(error = %Chain(&error), suppressed, "neither Postgres nor RabbitMQ takes events; deliveries are answered 503");
        }
        for waiting in left {
            waiting.answer(Err(NotAccepted::Unavailable));
        }
    }
}
