//! The relay: publishes every outbox row that is due.
//!
//! What is due was left behind by a first publish, is a retry whose rest is over, or a replay. Any number of relays
//! may run: a claimed row is nobody else's until its lease ends. A relay that dies gives its rows back by doing nothing.

use crate::Metrics;
use crate::accept::confirm;
use crate::message::{due_message, queue_of};
use broker::{LinkState, Publisher};
use chrono::TimeDelta;
use domain::Clock;
use failpoints::failpoint;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Due, Store, Ticket};
use telemetry::{Chain, LogLimiter};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Bounds of the relay.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Rows per claim.
    pub batch: i64,
    /// How often to look when nothing wakes it: a due time is honoured to this precision.
    pub poll: Duration,
    /// How long claimed rows are its own. Longer than a publish may take.
    pub lease: TimeDelta,
}

impl Default for Config {
    fn default() -> Self {
        Self { batch: 500, poll: Duration::from_millis(250), lease: TimeDelta::seconds(20) }
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
            // Claiming without a connection would only push the rows' due times into the future.
            if *state.borrow_and_update() == LinkState::Down {
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
        let due = {
            let mut connection = self.store.connection().await?;
            store::claim_due(&mut connection, now, now + self.config.lease, self.config.batch).await?
        };
        if !due.is_empty() {
            failpoint!("relay.claimed");
        }
        let full = i64::try_from(due.len()).unwrap_or(i64::MAX) >= self.config.batch;
        for queue in [store::Queue::Work, store::Queue::Dead] {
            let rows: Vec<&Due> = due.iter().filter(|row| row.queue == queue).collect();
            if !rows.is_empty() {
                self.publish(queue, &rows).await?;
            }
        }
        Ok(full)
    }

    async fn publish(&mut self, queue: store::Queue, rows: &[&Due]) -> Result<(), store::Error> {
        let messages: Vec<_> = rows.iter().map(|row| due_message(row)).collect();
        let outcomes = self.publisher.publish_all(queue_of(queue), &messages).await;
        failpoint!("relay.published");
        let mut confirmed: Vec<Ticket> = Vec::new();
        for (row, outcome) in rows.iter().zip(outcomes) {
            match outcome {
                Ok(()) => confirmed.push(row.ticket),
                Err(error) => {
                    if let Some(suppressed) = self.log.admit("publish", Instant::now()) {
                        tracing::warn!(error = %Chain(&error), event.id = %row.key.id, suppressed, "not published, will be tried again");
                    }
                }
            }
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.metrics.count_relayed("confirmed", count(confirmed.len()));
        self.metrics.count_relayed("failed", count(rows.len() - confirmed.len()));
        confirm(&self.store, &confirmed).await?;
        Ok(())
    }
}
