//! Reconciling by itself: every few minutes, one worker makes a pass.

use super::{Error, Options, POSTGRES_LIMIT, Reconciler, rows};
use chrono::TimeDelta;
use std::time::{Duration, Instant};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// Shortest and longest time between two looks at whether a pass is due.
const LOOK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// What is younger is left alone at most for so long: its delivery may be on the way.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// Makes passes.
pub struct Timer {
    reconciler: Reconciler,
    interval: TimeDelta,
}

impl Timer {
    /// A timer. Any number may run: one at a time makes a pass, `interval` after the last one ended.
    #[must_use]
    pub const fn new(reconciler: Reconciler, interval: TimeDelta) -> Self {
        Self { reconciler, interval }
    }

    /// Runs until `stop`. A pass that is interrupted is gone on with by whoever is next.
    pub async fn run(self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        let look = (self.interval / 10).to_std().unwrap_or_default().clamp(LOOK.0, LOOK.1);
        while !stop.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(look) => {}
                () = stop.cancelled() => return,
            }
            let turn = tokio::select! {
                turn = self.turn() => turn,
                () = stop.cancelled() => return,
            };
            let Err(error) = turn else { continue };
            if let Some(suppressed) = log.admit("pass", Instant::now()) {
                tracing::warn!(error = %Chain(&error), suppressed, "not compared with the API; it will be tried again");
            }
            // The other side may have asked for time, and a look at the clock every second would not give it any.
            tokio::select! {
                () = tokio::time::sleep(LOOK.1) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Makes a pass if one is due and nobody else is at it.
    async fn turn(&self) -> Result<(), Error> {
        let store = &self.reconciler.store;
        let now = self.reconciler.clock.now();
        let asking = async { rows::last_reconciled(&mut *store.connection().await?).await };
        let last = store.within(POSTGRES_LIMIT, "ask for the last reconciliation", asking).await?;
        if let Some(last) = last {
            self.reconciler.metrics.show_age(now - last);
        }
        if last.is_some_and(|last| now - last < self.interval) {
            return Ok(());
        }
        let Some(mut election) = self.reconciler.elect().await? else { return Ok(()) };
        // Whoever had the right until now may just have made the pass that seemed to be due.
        let asking = rows::last_reconciled(&mut election);
        let last = store.within(POSTGRES_LIMIT, "ask for the last reconciliation", asking).await?;
        if last.is_some_and(|last| now - last < self.interval) {
            return Ok(election.commit().await?);
        }
        let options = Options { grace: GRACE.min(self.interval), ..Options::default() };
        let passed = self.reconciler.reconcile(&options, &mut |_| {}).await;
        self.reconciler.metrics.count_pass(if passed.is_ok() { "done" } else { "failed" });
        let report = passed?;
        let now = self.reconciler.clock.now();
        let ending = async {
            rows::record_reconciled(&mut election, now).await?;
            election.commit().await
        };
        store.within(POSTGRES_LIMIT, "record a reconciliation", ending).await?;
        let queued: u64 = report.kinds.iter().map(|kind| kind.queued).sum();
        let compared: u64 = report.kinds.iter().map(|kind| kind.compared).sum();
        if queued > 0 {
            tracing::warn!(compared, queued, "events had never been delivered; they are queued now");
        } else {
            tracing::debug!(compared, "nothing was missed");
        }
        Ok(())
    }
}
