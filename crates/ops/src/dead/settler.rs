//! Settling by itself: whenever the two sides disagree, and every few minutes anyway, one worker makes a pass.

use super::{check, settle};
use broker::Broker;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Clock;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Store, Tx};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often the figures are compared.
const EVERY: Duration = Duration::from_secs(5);

/// How often all letters are looked at although the figures agree: every five minutes, and a minute later for each ten
/// thousand of them. A pass moves every letter once, which must not become all that the broker does.
fn thoroughly_every(letters: i64) -> TimeDelta {
    TimeDelta::minutes(5) + TimeDelta::milliseconds(letters.max(0).saturating_mul(6))
}

/// Compares the broker's dead letters with Postgres and settles what differs.
pub struct Settler {
    store: Store,
    broker: Broker,
    clock: Arc<dyn Clock>,
    worker: String,
}

impl Settler {
    /// A settler. Any number may run: one at a time makes a pass.
    #[must_use]
    pub fn new(store: Store, broker: Broker, clock: Arc<dyn Clock>, worker: String) -> Self {
        Self { store, broker, clock, worker }
    }

    /// Runs until `stop`. A pass that is interrupted loses nothing.
    pub async fn run(self, stop: CancellationToken) {
        let mut disagreed = false;
        let mut log = LogLimiter::new(Duration::from_mins(1));
        while !stop.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
            let pass = tokio::select! {
                pass = self.pass(&mut disagreed) => pass,
                () = stop.cancelled() => return,
            };
            if let Err(error) = pass
                && let Some(suppressed) = log.admit("pass", Instant::now())
            {
                tracing::warn!(error = %Chain(&error), suppressed, "dead letters not compared");
            }
        }
    }

    /// The right to settle, and when a pass last came to its end; `None` when somebody else has the right. It is held by a
    /// transaction that does nothing else, and goes with it however this ends.
    async fn elect(&self) -> Result<Option<(Tx, Option<DateTime<Utc>>)>, store::Error> {
        let electing = async {
            let mut election = self.store.begin("elect the settler").await?;
            if store::try_lock_settling(&mut election).await? {
                let last = store::last_settled(&mut election).await?;
                return Ok(Some((election, last)));
            }
            election.commit().await?;
            Ok(None)
        };
        self.store.within(settle::LIMIT, "elect the settler", electing).await
    }

    async fn pass(&self, disagreed: &mut bool) -> Result<(), settle::SettleError> {
        let Some((election, last_settled)) = self.elect().await? else { return Ok(()) };
        // The two sides are not read at the same instant: only what still differs the next time is a difference.
        let figures = check::check(&self.store, &self.broker).await?;
        let differs = std::mem::replace(disagreed, !figures.agree) && !figures.agree;
        // Figures that agree may hide one too many and one too few.
        let letters = figures.postgres.max(figures.broker);
        let overdue = last_settled.is_none_or(|last| self.clock.now() - last >= thoroughly_every(letters));
        let due = differs || (overdue && letters > 0);
        if !due {
            return Ok(election.commit().await?);
        }
        let settled = settle::pass(&self.store, &self.broker, &*self.clock, &self.worker).await?;
        settle::end(&self.store, election, &*self.clock).await?;
        if settled.removed + settled.adopted + settled.restored + settled.foreign > 0 {
            tracing::info!(
                removed = settled.removed,
                adopted = settled.adopted,
                restored = settled.restored,
                quarantined = settled.foreign,
                kept = settled.kept,
                "dead letters settled"
            );
        }
        Ok(())
    }
}
