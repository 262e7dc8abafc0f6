//! The relay: publishes every outbox row that is due.
//!
//! What is due was left behind by a first publish, is a retry whose rest is over, or a replay. Any number of relays
//! may run: a claimed row is nobody else's until its lease ends. A relay that dies gives its rows back by doing nothing.

use crate::Metrics;
use crate::accept::{confirm, settle};
use crate::message::{due_message, late_message, queue_of};
use broker::{PublishError, Publisher};
use chrono::TimeDelta;
use domain::Clock;
use failpoints::failpoint;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Due, DueBundle, Store, Ticket};
use telemetry::{Chain, LogLimiter};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Bounds of the relay.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Rows per claim.
    pub batch: i64,
    /// Bundles of first publishes per claim.
    pub bundles: i64,
    /// How often to look when nothing wakes it: a due time is honoured to this precision.
    pub poll: Duration,
    /// How long claimed rows are its own. Longer than a publish may take.
    pub lease: TimeDelta,
    /// How long a claim may take before its connection is taken for dead.
    pub deadline: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            batch: 500,
            bundles: 16,
            poll: Duration::from_millis(250),
            lease: TimeDelta::seconds(20),
            deadline: Duration::from_secs(8),
        }
    }
}

/// Publishes what is due.
pub struct Relay {
    config: Config,
    store: Store,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    wake: Arc<Notify>,
    log: LogLimiter,
}

impl Relay {
    /// A relay.
    #[must_use]
    pub fn new(
        config: Config,
        store: Store,
        publisher: Publisher,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
        wake: Arc<Notify>,
    ) -> Self {
        Self { config, store, publisher, clock, metrics, wake, log: LogLimiter::new(Duration::from_secs(10)) }
    }

    /// Runs until `stop`. Finishes the round it is in.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut state = self.publisher.state();
        while !stop.is_cancelled() {
            // Claiming what cannot be published would only push the rows' due times into the future.
            state.mark_unchanged();
            if !self.publisher.is_connected() {
                tokio::select! {
                    _changed = state.changed() => {}
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
            let full = match self.round().await {
                Ok(full) => full,
                Err(error) => {
                    if let Some(suppressed) = self.log.admit("round", Instant::now()) {
                        tracing::warn!(error = %Chain(&error), suppressed, "relay cannot reach Postgres");
                    }
                    false
                }
            };
            if !full {
                tokio::select! {
                    () = tokio::time::sleep(self.config.poll) => {}
                    () = self.wake.notified() => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    /// One round: claim, publish, confirm. Returns whether there is likely more.
    async fn round(&mut self) -> Result<bool, store::Error> {
        let now = self.clock.now();
        let lease = now + self.config.lease;
        let claiming = async {
            let mut connection = self.store.connection().await?;
            let bundles = store::claim_bundles(&mut connection, now, lease, self.config.bundles).await?;
            let due = store::claim_due(&mut connection, now, lease, self.config.batch).await?;
            Ok((bundles, due))
        };
        let (bundles, due): (Vec<DueBundle>, Vec<Due>) =
            self.store.within(self.config.deadline, "claim what is due", claiming).await?;
        if !(bundles.is_empty() && due.is_empty()) {
            failpoint!("relay.claimed");
        }
        let full = |rows: usize, limit: i64| i64::try_from(rows).unwrap_or(i64::MAX) >= limit;
        let more = full(bundles.len(), self.config.bundles) || full(due.len(), self.config.batch);
        if !bundles.is_empty() {
            self.publish_first(bundles).await?;
        }
        for queue in [store::Queue::Work, store::Queue::Dead, store::Queue::Replies] {
            let rows: Vec<&Due> = due.iter().filter(|row| row.queue == queue).collect();
            if !rows.is_empty() {
                self.publish(queue, &rows).await?;
            }
        }
        Ok(more)
    }

    /// First publishes that were left behind: by a crash, or because RabbitMQ was away.
    async fn publish_first(&mut self, bundles: Vec<DueBundle>) -> Result<(), store::Error> {
        let numbers = |bundle: &DueBundle| bundle.events.iter().map(|event| event.event).collect();
        let numbers: Vec<(i64, Vec<i64>)> =
            bundles.iter().map(|bundle| (bundle.id, numbers(bundle))).collect();
        let messages: Vec<_> =
            bundles.into_iter().flat_map(|bundle| bundle.events).map(late_message).collect();
        let outcomes = self.publisher.publish_bundled(broker::Queue::Work, &messages).await;
        failpoint!("relay.published");
        let confirmed: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
        self.count(&confirmed, outcomes.iter().find_map(|outcome| outcome.as_ref().err()));
        settle(&self.store, &mut None, &numbers, &confirmed, self.clock.as_ref()).await
    }

    fn count(&mut self, confirmed: &[bool], error: Option<&PublishError>) {
        let number = |outcome| u64::try_from(confirmed.iter().filter(|is| **is == outcome).count());
        self.metrics.count_relayed("confirmed", number(true).unwrap_or(u64::MAX));
        self.metrics.count_relayed("failed", number(false).unwrap_or(u64::MAX));
        if let Some(error) = error
            && let Some(suppressed) = self.log.admit("publish", Instant::now())
        {
            tracing::warn!(error = %Chain(error), suppressed, "not published, will be tried again");
        }
    }

    async fn publish(&mut self, queue: store::Queue, rows: &[&Due]) -> Result<(), store::Error> {
        let messages: Vec<_> = rows.iter().map(|row| due_message(row)).collect();
        let outcomes = self.publisher.publish_all(queue_of(queue), &messages).await;
        failpoint!("relay.published");
        let confirmed: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
        self.count(&confirmed, outcomes.iter().find_map(|outcome| outcome.as_ref().err()));
        let tickets = rows.iter().zip(confirmed).filter(|(_, confirmed)| *confirmed);
        let tickets: Vec<Ticket> = tickets.map(|(row, _)| row.ticket).collect();
        confirm(&self.store, &tickets).await?;
        Ok(())
    }
}
