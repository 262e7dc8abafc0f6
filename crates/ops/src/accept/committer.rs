//! The one duty that makes events durable: in Postgres, or, while Postgres is away, in RabbitMQ.

use super::away::Away;
use super::backfill::{Backfill, Owing};
use super::first_publish::Fresh;
use super::{Acceptance, Answer, Config, NotAccepted, Waiting};
use crate::Metrics;
use crate::message::first_message;
use broker::{Message, Publisher, Queue};
use domain::Clock;
use failpoints::failpoint;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Accepted, AcceptedBatch, Connection, NewEvent, Store};
use telemetry::{Chain, LogLimiter};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Commits what has gathered, over and over.
pub struct Committer {
    commits: Commits,
    backfill: Backfill,
}

struct Commits {
    config: Config,
    arrivals: mpsc::Receiver<Waiting>,
    accepted: mpsc::Sender<Fresh>,
    store: Store,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    postgres: Away,
    owing: Owing,
    /// Kept from one commit to the next: getting one and giving it back takes as long as a tenth of the commit.
    connection: Option<Connection>,
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
        accepted: mpsc::Sender<Fresh>,
        store: Store,
        publisher: Publisher,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        let log = LogLimiter::new(Duration::from_secs(10));
        let postgres = Away::new(config.away);
        let (owing, backfill) = Backfill::new(store.clone());
        let connection = None;
        let commits = Commits {
            config,
            arrivals,
            accepted,
            store,
            publisher,
            clock,
            metrics,
            postgres,
            owing,
            connection,
            log,
        };
        Self { commits, backfill }
    }

    /// Runs until every [`super::Acceptor`] is gone and all that waited is answered.
    pub async fn run(self) {
        tokio::join!(self.commits.run(), self.backfill.run());
    }
}

impl Commits {
    async fn run(mut self) {
        let mut batch = Vec::new();
        while self.arrivals.recv_many(&mut batch, self.config.batch).await > 0 {
            self.metrics.observe_accept_batch(batch.len());
            self.take(std::mem::take(&mut batch)).await;
        }
    }

    async fn take(&mut self, batch: Vec<Waiting>) {
        let (events, answers): (Vec<NewEvent>, Vec<Answer>) =
            batch.into_iter().map(|waiting| (waiting.event, waiting.answer)).unzip();
        self.store(events, answers).await;
    }

    async fn store(&mut self, events: Vec<NewEvent>, answers: Vec<Answer>) {
        if self.postgres.is_away(Instant::now()) && self.publisher.is_connected() {
            return self.hand_to_broker(events, answers).await;
        }
        match self.commit(&events).await {
            Ok(accepted) => {
                self.postgres.is_back();
                self.metrics.count_accepted("postgres", events.len());
                self.accept(events, answers, accepted);
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
                self.hand_to_broker(events, answers).await;
            }
            Err(NotCommitted::Refused(error)) if events.len() > 1 => {
                tracing::error!(error = %Chain(&error), events = events.len(), "batch refused; storing one by one");
                for (event, answer) in events.into_iter().zip(answers) {
                    Box::pin(self.store(vec![event], vec![answer])).await;
                }
            }
            Err(NotCommitted::Refused(error)) => {
                for (event, answer) in events.into_iter().zip(answers) {
                    tracing::error!(error = %Chain(&error), event.id = %event.event.id, "event refused by Postgres");
                    answer.send(Err(NotAccepted::Unavailable));
                }
            }
        }
    }

    /// Answers the senders after the commit, and passes what is new on to its first publish.
    fn accept(&self, events: Vec<NewEvent>, answers: Vec<Answer>, accepted: AcceptedBatch) {
        let AcceptedBatch { outcomes, bundle } = accepted;
        for (answer, outcome) in answers.into_iter().zip(&outcomes) {
            answer.send(Ok(match outcome {
                Accepted::New(_) => Acceptance::New,
                Accepted::Duplicate => Acceptance::Duplicate,
            }));
        }
        let Some(bundle) = bundle else { return };
        let new = events.into_iter().zip(outcomes).filter_map(|(event, outcome)| match outcome {
            Accepted::New(number) => Some((number, first_message(event))),
            Accepted::Duplicate => None,
        });
        let (numbers, messages) = new.unzip();
        // Full: the relay publishes it when its grace is over.
        let _left_to_the_relay = self.accepted.try_send(Fresh { bundle, numbers, messages }).is_err();
    }

    async fn commit(&mut self, events: &[NewEvent]) -> Result<AcceptedBatch, NotCommitted> {
        let begun = Instant::now();
        loop {
            // While RabbitMQ could take the events, a slow Postgres is not waited for; otherwise it is all there is.
            let left = self.config.patience.saturating_sub(begun.elapsed());
            let limit = if self.publisher.is_connected() { self.config.deadline } else { left };
            // Boxed: the futures of a statement take 11 KB, and would be moved three times on their way down.
            let outcome = match timeout(limit, Box::pin(self.write(events))).await {
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

    async fn write(&mut self, events: &[NewEvent]) -> Result<AcceptedBatch, NotCommitted> {
        let away = |error: store::Error| NotCommitted::Away(Chain(&error).to_string());
        let due = self.clock.now() + self.config.grace;
        // Whatever keeps us from beginning (a refused login, too) says nothing against the events.
        // No transaction around it: what is new is stored by one statement, which commits by itself. That saves two
        // of three round trips, and a crash before duplicates are counted only leaves their deliveries uncounted. Should a
        // connection break after the commit, the next one finds duplicates, and the relay publishes them.
        let mut maybe_dead = self.store.open_connections();
        let accepted = loop {
            // Taken out: one whose statement is not waited for to the end does not come back.
            let mut connection = match self.connection.take() {
                Some(kept) => kept,
                None => self.store.connection().await.map_err(away)?,
            };
            match store::accept_batch(&mut connection, events, Some(due)).await {
                Err(error) if maybe_dead > 0 && error.is_unavailable() => maybe_dead -= 1,
                Err(error) => break Err(error),
                Ok(accepted) => {
                    self.connection = Some(connection);
                    break Ok(accepted);
                }
            }
        };
        match accepted {
            Err(error) if error.is_about_the_data() => Err(NotCommitted::Refused(error)),
            Err(error) => Err(away(error)),
            Ok(accepted) => {
                failpoint!("accept.committed");
                Ok(accepted)
            }
        }
    }

    /// Makes events durable by a confirmed publish: the message alone is enough for a worker to store the row. Whether
    /// an event was known cannot be told here; the worker tells, and does nothing twice.
    async fn hand_to_broker(&mut self, events: Vec<NewEvent>, answers: Vec<Answer>) {
        let was_connected = self.publisher.is_connected();
        let messages: Vec<Message> = events.iter().cloned().map(first_message).collect();
        let outcomes = self.publisher.publish_bundled(Queue::Work, &messages).await;
        failpoint!("accept.confirmed");
        let (mut taken, mut left, mut unanswered) = (Vec::new(), Vec::new(), Vec::new());
        let mut why = None;
        for ((event, answer), outcome) in events.into_iter().zip(answers).zip(outcomes) {
            match outcome {
                Ok(()) => {
                    self.metrics.count_accepted("rabbitmq", 1);
                    answer.send(Ok(Acceptance::New));
                    taken.push(event);
                }
                Err(error) => {
                    why = Some(error);
                    left.push(event);
                    unanswered.push(answer);
                }
            }
        }
        if !taken.is_empty() {
            self.owing.store_later(taken);
        }
        let Some(error) = why else { return };
        // RabbitMQ went or fell silent in the meantime, which may have taken seconds: Postgres may be back. Where RabbitMQ
        // was away from the beginning, Postgres has had all the time there is.
        if was_connected && let Ok(accepted) = self.commit(&left).await {
            self.postgres.is_back();
            self.metrics.count_accepted("postgres", left.len());
            return self.accept(left, unanswered, accepted);
        }
        if let Some(suppressed) = self.log.admit("both away", Instant::now()) {
            tracing::error!(error = %Chain(&error), suppressed, "neither Postgres nor RabbitMQ takes events; deliveries are answered 503");
        }
        for answer in unanswered {
            answer.send(Err(NotAccepted::Unavailable));
        }
    }
}
