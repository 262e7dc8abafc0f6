//! Writing what was decided, many groups in one transaction, and only then acknowledging.

use super::bundle;
use super::job::acknowledge;
use super::look::Looked;
use super::write::{Settled, write};
use super::{Context, GroupKey, POSTGRES_DEADLINE};
use crate::accept::confirm;
use broker::{Message, Queue};
use domain::ResourceKind;
use failpoints::failpoint;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Ticket;
use telemetry::{Chain, LogLimiter};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use tracing::Instrument;

/// One lane: writes what has gathered, over and over, until nothing can come any more.
pub(super) async fn run(
    context: Arc<Context>,
    looked: Arc<Mutex<mpsc::Receiver<Looked>>>,
    released: mpsc::UnboundedSender<GroupKey>,
) {
    let mut applier = Applier { context, released, log: LogLimiter::new(Duration::from_secs(10)) };
    let mut batch = Vec::new();
    while looked.lock().await.recv_many(&mut batch, applier.context.config.apply).await > 0 {
        applier.apply(std::mem::take(&mut batch)).await;
    }
}

struct Applier {
    context: Arc<Context>,
    released: mpsc::UnboundedSender<GroupKey>,
    log: LogLimiter,
}

impl Applier {
    /// Writes a batch. What Postgres refuses is written group by group, so that one bad event does not hold up the
    /// others; without Postgres everything waits, as the messages are not acknowledged.
    async fn apply(&mut self, batch: Vec<Looked>) {
        let mut pause = Duration::from_millis(100);
        let events: usize = batch.iter().map(|looked| looked.jobs.len()).sum();
        loop {
            let span = tracing::info_span!(target: telemetry::UNTRACED, "worker.apply", events);
            let waiting = self.context.progress.waiting(format!("Postgres, results of {events} events"));
            let written = timeout(POSTGRES_DEADLINE, write(&self.context, &batch).instrument(span)).await;
            drop(waiting);
            match written {
                Ok(Ok(settled)) => {
                    self.context.metrics.observe_apply_batch(events);
                    return self.settle(batch, settled).await;
                }
                // Anything but the events themselves (Postgres away, a refused login, an older schema) is waited out.
                Ok(Err(error)) if !error.is_about_the_data() => {
                    self.log_away(&Chain(&error).to_string());
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
                // Whether it was committed is not known; the next round finds out by the locked rows.
                Err(_elapsed) => self.log_away("no answer in time"),
                Ok(Err(error)) => {
                    tracing::error!(error = %Chain(&error), events, "results were refused");
                    return self.apply_one_by_one(batch, &error).await;
                }
            }
        }
    }

    fn log_away(&mut self, error: &str) {
        if let Some(suppressed) = self.log.admit("away", Instant::now()) {
            tracing::warn!(error, suppressed, "results cannot be written; waiting for Postgres");
        }
    }

    async fn apply_one_by_one(&mut self, batch: Vec<Looked>, error: &store::Error) {
        let refused = super::FailedTry::new(domain::FailureClass::Bug, &Chain(error).to_string());
        let alone = batch.len() == 1;
        for mut looked in batch {
            if alone && looked.seen.as_ref().is_err_and(|failed| failed.error == refused.error) {
                // Not even the failure can be written: the broker's copy is all that is left of it.
                self.context.progress.settled(looked.jobs.len());
                for job in looked.jobs {
                    tracing::error!(event.id = %job.key.id, "event can neither be applied nor recorded; moved to the dead letters");
                    bundle::bury(&self.context, job.acker, Some(&job.message)).await;
                }
                let _processor_is_gone = self.released.send(looked.key).is_err();
                continue;
            }
            if alone {
                looked.seen = Err(refused.clone());
            }
            Box::pin(self.apply(vec![looked])).await;
        }
    }

    /// After the commit: publishes the dead letters, acknowledges everything, lets the resources go.
    async fn settle(&self, batch: Vec<Looked>, settled: Settled) {
        let _waiting =
            self.context.progress.waiting("RabbitMQ, dead letters and acknowledgements".to_owned());
        self.publish_dead(&settled.dead).await;
        let mut ackers = Vec::new();
        for looked in batch {
            self.wake(&looked);
            ackers.extend(looked.jobs.into_iter().map(|job| job.acker));
            let _processor_is_gone = self.released.send(looked.key).is_err();
        }
        let messages = ackers.len();
        failpoint!("apply.acknowledging");
        acknowledge(ackers).await;
        self.context.progress.settled(messages);
    }

    /// Tells whoever looks for gaps that there is more in the history of a session than before.
    fn wake(&self, looked: &Looked) {
        let Some(waker) = &self.context.waker else { return };
        let Some(resource) = looked.jobs.first().and_then(|job| job.resource()) else { return };
        match (resource.kind, &resource.parent_id) {
            (ResourceKind::Session, _) => waker.wake(&resource.id),
            (ResourceKind::SessionThread, Some(session)) => waker.wake(session),
            _ => {}
        }
    }

    /// Publishes dead letters whose outbox rows were just committed. What is not confirmed is left to the relay.
    async fn publish_dead(&self, dead: &[(Ticket, Message)]) {
        if dead.is_empty() {
            return;
        }
        let messages: Vec<Message> = dead.iter().map(|(_, message)| message.clone()).collect();
        let outcomes = self.context.publisher.publish_all(Queue::Dead, &messages).await;
        failpoint!("apply.dead_published");
        let confirmed: Vec<Ticket> = dead
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|((ticket, _), _)| *ticket)
            .collect();
        if let Err(error) = confirm(&self.context.store, &confirmed).await {
            tracing::debug!(error = %Chain(&error), "published dead letters stay in the outbox");
        }
    }
}
