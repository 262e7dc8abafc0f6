//! Telling sinks, each at least once, however often they or we are away.

use super::sinks::Sink;
use super::{Metrics, POSTGRES_LIMIT};
use callout::Caller;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Clock;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{DueDelivery, Store};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often there is a look for something to tell.
const EVERY: Duration = Duration::from_secs(1);

/// How long the claimant of a delivery has for it: longer than a sink may take.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Deliveries that are under way to one sink at the same time.
const TOGETHER: i64 = 8;

/// How far back alerts are looked at, and how long a sink that fails is tried. A sink that is new hears of the last day.
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// First and longest rest after a failure.
const RESTS: (TimeDelta, TimeDelta) = (TimeDelta::seconds(5), TimeDelta::minutes(10));

/// Tells one sink. Any number of workers may do so.
pub struct Courier {
    store: Store,
    sink: Sink,
    caller: Caller,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Courier {
    /// A courier to this sink.
    #[must_use]
    pub fn new(store: Store, sink: Sink, caller: Caller, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { store, sink, caller, clock, metrics }
    }

    /// Runs until `stop`. A delivery that is under way then is made again when its lease ends.
    pub async fn run(self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
            let round = tokio::select! {
                round = self.round() => round,
                () = stop.cancelled() => return,
            };
            if let Err(error) = round
                && let Some(suppressed) = log.admit("round", Instant::now())
            {
                tracing::warn!(error = %Chain(&error), sink = self.sink.name(), suppressed, "sink not served");
            }
        }
    }

    /// Tells what is to be told now. Returns how much that was.
    ///
    /// # Errors
    /// When Postgres is away or refuses.
    pub async fn round(&self) -> Result<usize, store::Error> {
        let (now, sink) = (self.clock.now(), self.sink.name());
        let claiming = async {
            let mut connection = self.store.connection().await?;
            store::record_alert_deliveries(&mut connection, sink, now - PATIENCE, now).await?;
            store::claim_alert_deliveries(&mut connection, sink, now, now + LEASE, TOGETHER).await
        };
        let due = self.store.within(POSTGRES_LIMIT, "claim deliveries of alerts", claiming).await?;
        for outcome in join_all(due.iter().map(|delivery| self.one(delivery))).await {
            outcome?;
        }
        Ok(due.len())
    }

    async fn one(&self, delivery: &DueDelivery) -> Result<(), store::Error> {
        let (alert, phase, sink) = (&delivery.alert, delivery.phase, self.sink.name());
        let told = self.sink.tell(&self.caller, phase, alert, self.clock.now()).await;
        let now = self.clock.now();
        let writing = async {
            let mut connection = self.store.connection().await?;
            let error = match told {
                Ok(_answer) => {
                    self.metrics.count_delivery(sink, "delivered");
                    return store::finish_alert_delivery(&mut connection, alert.id, sink, phase, now).await;
                }
                Err(error) => error,
            };
            let due_at = next_try(delivery, now);
            if due_at.is_some() {
                self.metrics.count_delivery(sink, "failed");
                tracing::warn!(
                    error,
                    sink,
                    alert = alert.id,
                    tries = delivery.tries + 1,
                    "sink not told; it will be tried again"
                );
            } else {
                self.metrics.count_delivery(sink, "given_up");
                tracing::error!(
                    error,
                    sink,
                    alert = alert.id,
                    tries = delivery.tries + 1,
                    "sink not told for a day; given up"
                );
            }
            store::fail_alert_delivery(&mut connection, (alert.id, sink, phase), &error, due_at, now).await
        };
        self.store.within(POSTGRES_LIMIT, "write that a sink was told", writing).await
    }
}

/// When a delivery that failed is tried again; `None` after a day.
fn next_try(delivery: &DueDelivery, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (first, longest) = RESTS;
    let rest =
        first.checked_mul(2_i32.saturating_pow(delivery.tries.min(10))).unwrap_or(longest).min(longest);
    let due_at = now + rest;
    (due_at <= delivery.recorded_at + PATIENCE).then_some(due_at)
}
