//! Ending alerts that the state of their resource has overtaken.

use super::{Metrics, POSTGRES_LIMIT};
use domain::Clock;
use domain::alert::{matters_since, over};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{OpenAlert, Store};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often open alerts are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Alerts that are looked at together.
const CHUNK: i64 = 200;

/// Resolves alerts. Any number of workers may do so: what is resolved already is left alone.
pub struct Resolver {
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Resolver {
    /// A resolver, which also shows how many alerts are open.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { store, clock, metrics }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
            let pass = tokio::select! {
                pass = self.pass() => pass,
                () = stop.cancelled() => return,
            };
            if let Err(error) = pass
                && let Some(suppressed) = log.admit("pass", Instant::now())
            {
                tracing::warn!(error = %Chain(&error), suppressed, "open alerts not looked at");
            }
        }
    }

    /// Looks at all open alerts once. Returns how many were over.
    ///
    /// # Errors
    /// When Postgres is away or refuses.
    pub async fn pass(&self) -> Result<u64, store::Error> {
        let (mut resolved, mut after) = (0, 0);
        loop {
            let chunk = self.store.within(POSTGRES_LIMIT, "resolve alerts", self.chunk(after)).await?;
            resolved += chunk.resolved;
            match chunk.last {
                Some(last) => after = last,
                None => break,
            }
        }
        let counting = async { store::open_alert_figures(&mut *self.store.connection().await?).await };
        let open = self.store.within(POSTGRES_LIMIT, "count open alerts", counting).await?;
        self.metrics.show_open(&open);
        Ok(resolved)
    }

    async fn chunk(&self, after: i64) -> Result<Chunk, store::Error> {
        let mut connection = self.store.connection().await?;
        let open = store::open_alerts_of_resources(&mut connection, after, CHUNK).await?;
        let resources: Vec<_> = open.iter().map(|alert| &alert.resource).collect();
        let mut states = store::load_states(&mut connection, &resources).await?;
        let mut resolved = 0;
        for OpenAlert { id, kind, resource, cause, last_raised_at, key } in &open {
            let state = states.entry((resource.kind, resource.id.clone())).or_default();
            let later = store::history_since(&mut connection, resource, matters_since(cause)).await?;
            let Some(resolution) = over(*kind, cause, state, &later) else { continue };
            // One that was raised again meanwhile has a newer cause, which was not looked at.
            let (as_of, now) = (Some(*last_raised_at), self.clock.now());
            if store::resolve_alert_by_number(&mut connection, *id, &resolution, as_of, now).await? {
                tracing::info!(alert = id, kind = kind.as_str(), key, resolution, "alert resolved");
                resolved += 1;
            }
        }
        let full = i64::try_from(open.len()).is_ok_and(|length| length >= CHUNK);
        Ok(Chunk { resolved, last: open.last().filter(|_| full).map(|alert| alert.id) })
    }
}

struct Chunk {
    resolved: u64,
    /// Where to go on; `None` at the end.
    last: Option<i64>,
}
