//! Telling a person that this worker has not been served by the API for long.

use super::POSTGRES_LIMIT;
use crate::Metrics;
use chrono::{DateTime, TimeDelta, Utc};
use domain::breaker::Cause;
use domain::{AlertKind, Clock};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{NewAlert, Store};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often there is a look.
const EVERY: Duration = Duration::from_secs(10);

/// How long a pause lasts before somebody is told.
const LONG: TimeDelta = TimeDelta::minutes(5);

/// How often a pause that lasts is told again: the watch takes one that is not told of any more for over.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// All workers share one alert: what pauses one pauses the others, sooner or later.
pub(super) const KEY: &str = "Claude API";

/// Watches the pauses of this worker.
pub struct PauseWatch {
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    since: Option<DateTime<Utc>>,
    told_at: Option<DateTime<Utc>>,
}

impl PauseWatch {
    /// A watch over the pauses that these metrics show.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { store, clock, metrics, since: None, told_at: None }
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.look().await
                && let Some(suppressed) = log.admit("pause", Instant::now())
            {
                tracing::warn!(error = %Chain(&error), suppressed, "pause not told of");
            }
        }
    }

    /// Looks once, and raises the alert when a pause has lasted for long.
    ///
    /// # Errors
    /// When Postgres is away or refuses.
    pub async fn look(&mut self) -> Result<(), store::Error> {
        let now = self.clock.now();
        let Some(cause) = self.metrics.paused_for().filter(|cause| *cause != Cause::Throttled) else {
            (self.since, self.told_at) = (None, None);
            return Ok(());
        };
        let since = *self.since.get_or_insert(now);
        if now - since < LONG || self.told_at.is_some_and(|told| now - told < AGAIN) {
            return Ok(());
        }
        let kind = AlertKind::ApiPaused;
        let title = match cause {
            Cause::Configuration => "the Claude API refuses our key or its address is wrong: events wait",
            Cause::Away | Cause::Failing | Cause::Throttled => "the Claude API is away: events wait",
        };
        let alert = NewAlert {
            kind: kind.as_str(),
            key: KEY,
            severity: kind.severity(),
            resource: None,
            title,
            details: json!({ "cause": cause.as_str(), "since": since }),
            event: None,
        };
        let raising = async { store::raise_alert(&mut *self.store.connection().await?, &alert, now).await };
        self.store.within(POSTGRES_LIMIT, "raise an alert", raising).await?;
        self.told_at = Some(now);
        Ok(())
    }
}
