//! What no event tells of: endpoints that fail or are silent, events that are not finished, dead letters.

use super::{POSTGRES_LIMIT, pauses};
use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::{Fares, failing, together};
use domain::{AlertKind, Clock, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{EndpointHealth, NewAlert, OpenFacts, Store, Tx};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often somebody looks.
const EVERY: Duration = Duration::from_secs(10);

/// How long processes of ingest are remembered that write no more.
const MEMORY: TimeDelta = TimeDelta::days(7);

/// Figures that are older say nothing about now.
const FRESH: TimeDelta = TimeDelta::minutes(2);

/// A pause that no worker has told of for so long is over.
const PAUSE_OVER: TimeDelta = TimeDelta::minutes(3);

/// When to tell.
#[derive(Debug, Clone, Copy)]
pub struct WatchConfig {
    /// How old the oldest unfinished event may become.
    pub unfinished_age: TimeDelta,
    /// How long an endpoint may be without a delivery; `None`: for ever.
    pub silence: Option<TimeDelta>,
}

/// Looks after the stack. Any number of workers may have one: one at a time looks.
pub struct Watch {
    config: WatchConfig,
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Watch {
    /// A watch.
    #[must_use]
    pub fn new(config: WatchConfig, store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { config, store, clock }
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
                tracing::warn!(error = %Chain(&error), suppressed, "the watch did not look");
            }
        }
    }

    /// Looks once, unless somebody else does.
    ///
    /// # Errors
    /// When Postgres is away or refuses.
    pub async fn pass(&self) -> Result<(), store::Error> {
        let now = self.clock.now();
        let looking = async {
            let mut tx = self.store.begin("watch").await?;
            if store::try_lock_watching(&mut tx).await? {
                self.endpoints(&mut tx, now).await?;
                self.events(&mut tx, now).await?;
                over_pauses(&mut tx, now).await?;
            }
            tx.commit().await
        };
        self.store.within(POSTGRES_LIMIT, "watch", looking).await
    }

    async fn endpoints(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), store::Error> {
        store::forget_endpoint_health(tx, now - MEMORY).await?;
        let mut endpoints: BTreeMap<String, Vec<Fares>> = BTreeMap::new();
        for health in store::endpoint_health(tx).await? {
            endpoints.entry(health.endpoint.clone()).or_default().push(fares(health));
        }
        for (endpoint, processes) in &endpoints {
            let fares = together(processes);
            let found = failing(&fares).map(|severity| {
                let reason = fares.last_failure_reason.as_deref().unwrap_or("unknown");
                let count = fares.failures_in_a_row;
                Found {
                    severity,
                    title: format!(
                        "endpoint {endpoint} has refused {count} deliveries in a row (last reason: {reason}); the sender \
                         disables it after about 20"
                    ),
                    details: described(&fares),
                    // Told again with each further failure, so that the count is the present one.
                    news: Box::new(move |open| open.details.get("failures_in_a_row") != Some(&json!(count))),
                }
            });
            settle(tx, AlertKind::EndpointFailing, endpoint, found, now).await?;
            let silent = self.config.silence.zip(fares.last_success_at);
            let silent = silent.filter(|(limit, last)| now - *last > *limit).map(|(limit, last)| Found {
                severity: AlertKind::EndpointSilent.severity(),
                title: format!(
                    "endpoint {endpoint} has had no delivery for more than {} minutes, the last one at {}",
                    limit.num_minutes(),
                    last.to_rfc3339()
                ),
                details: described(&fares),
                news: Box::new(|_| false),
            });
            settle(tx, AlertKind::EndpointSilent, endpoint, silent, now).await?;
        }
        Ok(())
    }

    async fn events(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), store::Error> {
        let figures = store::figures(tx).await?;
        let Some((at, unfinished)) = figures.unfinished.filter(|(at, _)| now - *at < FRESH) else {
            return Ok(());
        };
        let limit = self.config.unfinished_age;
        let old = unfinished.oldest_pending_at.filter(|oldest| at - *oldest > limit).map(|oldest| Found {
            severity: AlertKind::EventsUnfinished.severity(),
            title: format!(
                "{} events are unfinished, the oldest since {}: `worker events list --status pending`",
                unfinished.pending,
                oldest.to_rfc3339()
            ),
            details: json!({ "pending": unfinished.pending, "oldest_received_at": oldest, "outbox": unfinished.outbox }),
            news: Box::new(|_| false),
        });
        settle(tx, AlertKind::EventsUnfinished, "oldest event", old, now).await?;
        let dead = unfinished.dead;
        let letters = (dead > 0).then(|| Found {
            severity: AlertKind::DeadLetters.severity(),
            title: format!("there are dead letters: {dead} (`worker dlq stats` says why)"),
            details: json!({ "dead": dead }),
            news: Box::new(move |open| {
                open.details.get("dead").and_then(Value::as_i64).is_none_or(|before| dead > before)
            }),
        });
        settle(tx, AlertKind::DeadLetters, "dead letters", letters, now).await
    }
}

/// Something that a person should know.
struct Found {
    severity: Severity,
    title: String,
    details: Value,
    /// Whether it differs from what the open alert says.
    news: Box<dyn Fn(&OpenFacts) -> bool + Send>,
}

/// Raises what was found, unless that is known, and resolves what is not found any more.
async fn settle(
    tx: &mut Tx,
    kind: AlertKind,
    key: &str,
    found: Option<Found>,
    now: DateTime<Utc>,
) -> Result<(), store::Error> {
    let open = store::open_alert(tx, kind.as_str(), key).await?;
    let Some(found) = found else {
        if open.is_some() {
            store::resolve_alert(tx, kind.as_str(), key, now).await?;
        }
        return Ok(());
    };
    if open.is_some_and(|open| open.severity >= found.severity && !(found.news)(&open)) {
        return Ok(());
    }
    let alert = NewAlert {
        kind: kind.as_str(),
        key,
        severity: found.severity,
        resource: None,
        title: &found.title,
        details: found.details,
        event: None,
    };
    store::raise_alert(tx, &alert, now).await?;
    Ok(())
}

async fn over_pauses(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), store::Error> {
    let kind = AlertKind::ApiPaused.as_str();
    if let Some(open) = store::open_alert(tx, kind, pauses::KEY).await?
        && now - open.last_raised_at > PAUSE_OVER
    {
        store::resolve_alert(tx, kind, pauses::KEY, now).await?;
    }
    Ok(())
}

fn fares(health: EndpointHealth) -> Fares {
    Fares {
        failures_in_a_row: health.failures_in_a_row.unsigned_abs(),
        failing_since: health.failing_since,
        last_success_at: health.last_success_at,
        last_failure_at: health.last_failure_at,
        last_failure_reason: health.last_failure_reason,
    }
}

fn described(fares: &Fares) -> Value {
    json!({
        "failures_in_a_row": fares.failures_in_a_row,
        "failing_since": fares.failing_since,
        "last_success_at": fares.last_success_at,
        "last_failure_at": fares.last_failure_at,
        "last_failure_reason": fares.last_failure_reason,
    })
}
