//! The one duty that commits events.

use super::{Acceptance, Config, NotAccepted, Waiting};
use crate::Metrics;
use domain::Clock;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Accepted, NewEvent, Store, Ticket};
use telemetry::{Chain, LogLimiter};
use tokio::sync::mpsc;

/// Commits what has gathered, over and over.
pub struct Committer {
    config: Config,
    arrivals: mpsc::Receiver<Waiting>,
    accepted: mpsc::Sender<(NewEvent, Ticket)>,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    log: LogLimiter,
}

impl Committer {
    pub(super) fn new(
        config: Config,
        arrivals: mpsc::Receiver<Waiting>,
        accepted: mpsc::Sender<(NewEvent, Ticket)>,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        let log = LogLimiter::new(Duration::from_secs(10));
        Self { config, arrivals, accepted, store, clock, metrics, log }
    }

    /// Runs until every [`super::Acceptor`] is gone and all that waited is answered.
    pub async fn run(mut self) {
        let mut batch = Vec::new();
        while self.arrivals.recv_many(&mut batch, self.config.batch).await > 0 {
            self.commit(std::mem::take(&mut batch)).await;
        }
    }

    async fn commit(&mut self, batch: Vec<Waiting>) {
        self.metrics.observe_accept_batch(batch.len());
        let (events, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.event, waiting.answer)).unzip();
        match self.write(&events).await {
            Ok(outcomes) => {
                for ((event, answer), outcome) in events.into_iter().zip(answers).zip(outcomes) {
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
            }
            Err(error) => {
                if let Some(suppressed) = self.log.admit("commit", Instant::now()) {
                    tracing::error!(error = %Chain(&error), events = events.len(), suppressed, "events not stored");
                }
                for answer in answers {
                    let _sender_gave_up = answer.send(Err(NotAccepted::Unavailable)).is_err();
                }
            }
        }
    }

    async fn write(&self, events: &[NewEvent]) -> Result<Vec<Accepted>, store::Error> {
        let due = self.clock.now() + self.config.grace;
        let mut tx = self.store.begin("accept").await?;
        let outcomes = store::accept_batch(&mut tx, events, due).await?;
        tx.commit().await?;
        Ok(outcomes)
    }
}
