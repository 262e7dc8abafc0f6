//! Looking at all reviews now and then: figures for the metrics, and alerts whose reason has gone.

use super::{Metrics, POSTGRES_LIMIT};
use domain::Clock;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often.
const EVERY: Duration = Duration::from_secs(15);

/// Looks at all reviews now and then. Any number of processes may do so: each shows the same, and resolving twice
/// changes nothing.
pub struct Watch {
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Watch {
    /// A watch that shows what it sees in `metrics`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { store, clock, metrics }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        while !stop.is_cancelled() {
            let look = tokio::select! {
                look = self.look() => look,
                () = stop.cancelled() => return,
            };
            if let Err(error) = look
                && let Some(suppressed) = log.admit("look", Instant::now())
            {
                tracing::warn!(error = %Chain(&error), suppressed, "reviews not counted");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// When Postgres is away or refuses.
    pub async fn look(&self) -> Result<(), store::Error> {
        let now = self.clock.now();
        let looking = async {
            let mut connection = self.store.connection().await?;
            let figures = store::review_figures(&mut connection, now).await?;
            store::resolve_overdue_alerts(&mut connection, now).await?;
            Ok(figures)
        };
        let figures = self.store.within(POSTGRES_LIMIT, "count reviews", looking).await?;
        self.metrics.show(&figures, now);
        Ok(())
    }
}
