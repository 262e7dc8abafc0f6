//! How endpoints fare in this process: kept in memory, and written down now and then.
//!
//! Nothing that receives a delivery waits for Postgres here, nor does it matter when Postgres is away: what was not written
//! is written the next time.

use chrono::{DateTime, Utc};
use domain::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::{EndpointHealth, Store};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often it is written.
const EVERY: Duration = Duration::from_secs(10);

/// How long writing may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Endpoints that are remembered at most; more names than there are endpoints cannot come here.
const MOST: usize = 10_000;

/// Counts how deliveries are answered. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse {
    endpoints: Arc<Mutex<BTreeMap<String, EndpointHealth>>>,
}

impl Pulse {
    pub(super) fn success(&self, endpoint: &str, now: DateTime<Utc>) {
        self.note(endpoint, |health| {
            health.successes += 1;
            health.failures_in_a_row = 0;
            health.failing_since = None;
            health.last_success_at = Some(now);
        });
    }

    pub(super) fn failure(&self, endpoint: &str, reason: &'static str, now: DateTime<Utc>) {
        self.note(endpoint, |health| {
            health.failures += 1;
            health.failures_in_a_row += 1;
            health.failing_since.get_or_insert(now);
            health.last_failure_at = Some(now);
            if health.last_failure_reason.as_deref() != Some(reason) {
                health.last_failure_reason = Some(reason.to_owned());
            }
        });
    }

    fn note(&self, endpoint: &str, change: impl FnOnce(&mut EndpointHealth)) {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(health) = endpoints.get_mut(endpoint) {
            return change(health);
        }
        if endpoints.len() < MOST {
            let mut health = EndpointHealth {
                endpoint: endpoint.to_owned(),
                process: String::new(),
                successes: 0,
                failures: 0,
                failures_in_a_row: 0,
                failing_since: None,
                last_success_at: None,
                last_failure_at: None,
                last_failure_reason: None,
            };
            change(&mut health);
            endpoints.insert(endpoint.to_owned(), health);
        }
    }

    fn snapshot(&self, process: &str) -> Vec<EndpointHealth> {
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let of_process =
            |health: &EndpointHealth| EndpointHealth { process: process.to_owned(), ..health.clone() };
        endpoints.values().map(of_process).collect()
    }
}

/// The duty that writes down how endpoints fare.
pub struct PulseWriter {
    pulse: Pulse,
    store: Store,
    clock: Arc<dyn Clock>,
    process: String,
    written: Vec<EndpointHealth>,
}

impl PulseWriter {
    pub(super) fn new(pulse: Pulse, store: Store, clock: Arc<dyn Clock>, process: String) -> Self {
        Self { pulse, store, clock, process, written: Vec::new() }
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.write().await
                && let Some(suppressed) = log.admit("write", Instant::now())
            {
                tracing::debug!(error = %Chain(&error), suppressed, "health of endpoints not written");
            }
        }
    }

    /// Writes what has changed since the last time.
    ///
    /// # Errors
    /// When Postgres is away or refuses.
    pub async fn write(&mut self) -> Result<(), store::Error> {
        let now = self.pulse.snapshot(&self.process);
        let changed: Vec<EndpointHealth> =
            now.iter().filter(|health| !self.written.contains(health)).cloned().collect();
        if changed.is_empty() {
            return Ok(());
        }
        let at = self.clock.now();
        let writing =
            async { store::write_endpoint_health(&mut *self.store.connection().await?, &changed, at).await };
        self.store.within(LIMIT, "write how endpoints fare", writing).await?;
        self.written = now;
        Ok(())
    }
}
