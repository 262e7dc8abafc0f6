//! Carrying out effects: what events call for, done by whichever worker claims it.
//!
//! An effect is a row that the transaction of its event has written. A [`Runner`] of its kind claims what is due under a
//! lease and hands it to a [`Handler`], which writes the result and [`store::finish_effect`] in one transaction. A worker
//! that dies gives its effects back by doing nothing. A failure puts the effect off, longer each time and never for good:
//! the effect is on record, and what it waits for (the Claude API, mostly) comes back.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, EffectKind};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{DueEffect, Store};
use telemetry::{Chain, LogLimiter};
use tokio_util::sync::CancellationToken;

/// How often the table is asked when nothing was due.
const EVERY: Duration = Duration::from_millis(500);

/// How long the claimant of an effect has for it.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Within which time a handler has to end: before its lease does, so that nobody else is at the same effect.
const HANDLER_LIMIT: Duration = Duration::from_mins(4);

/// How long a statement about effects may take, network included.
const POSTGRES_LIMIT: Duration = Duration::from_secs(15);

/// First and longest rest after a failure.
const RESTS: (TimeDelta, TimeDelta) = (TimeDelta::seconds(5), TimeDelta::minutes(10));

/// Does what one kind of effect calls for.
pub trait Handler: Send + Sync + 'static {
    /// Carries one effect out. Where it succeeds it has finished or postponed the effect itself, in the transaction of
    /// what it wrote.
    ///
    /// # Errors
    /// When it could not be carried out now. It is tried again later.
    fn carry_out(&self, effect: &DueEffect) -> impl Future<Output = Result<(), NotCarriedOut>> + Send;
}

/// Why an effect was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct NotCarriedOut {
    /// The whole chain of causes.
    pub error: String,
    /// How long the other side asked us to wait.
    pub retry_after: Option<Duration>,
}

impl NotCarriedOut {
    /// A failure that says no more than its text.
    pub fn new(error: impl Into<String>) -> Self {
        Self { error: error.into(), retry_after: None }
    }
}

impl From<store::Error> for NotCarriedOut {
    fn from(error: store::Error) -> Self {
        Self::new(Chain(&error).to_string())
    }
}

impl From<claude::Error> for NotCarriedOut {
    fn from(error: claude::Error) -> Self {
        Self { retry_after: error.retry_after(), error: Chain(&error).to_string() }
    }
}

/// Carries out the effects of one kind.
pub struct Runner<H> {
    kind: EffectKind,
    handler: H,
    store: Store,
    clock: Arc<dyn Clock>,
    /// A draw from 0 to 1, for jitter.
    dice: fn() -> f64,
    /// Effects that are carried out at the same time.
    concurrency: u16,
}

impl<H: Handler> Runner<H> {
    /// A runner. Any number of processes may have one.
    pub fn new(
        kind: EffectKind,
        handler: H,
        store: Store,
        clock: Arc<dyn Clock>,
        dice: fn() -> f64,
        concurrency: u16,
    ) -> Self {
        Self { kind, handler, store, clock, dice, concurrency }
    }

    /// Runs until `stop`. What is under way then is given up and claimed again when its lease ends.
    pub async fn run(self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        while !stop.is_cancelled() {
            let round = tokio::select! {
                round = self.round() => round,
                () = stop.cancelled() => return,
            };
            let full = match round {
                Ok(carried_out) => carried_out >= usize::from(self.concurrency),
                Err(error) => {
                    if let Some(suppressed) = log.admit("round", Instant::now()) {
                        tracing::warn!(error = %Chain(&error), effect = self.kind.as_str(), suppressed, "effects not claimed");
                    }
                    false
                }
            };
            if !full {
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = stop.cancelled() => return,
                }
            }
        }
    }

    /// Claims what is due and carries it out. Returns how many there were.
    ///
    /// # Errors
    /// When nothing could be claimed.
    pub async fn round(&self) -> Result<usize, store::Error> {
        let now = self.clock.now();
        let claiming = async {
            let mut connection = self.store.connection().await?;
            let limit = i64::from(self.concurrency);
            store::claim_effects(&mut connection, self.kind, now, now + LEASE, limit).await
        };
        let effects = self.store.within(POSTGRES_LIMIT, "claim effects", claiming).await?;
        join_all(effects.iter().map(|effect| self.one(effect))).await;
        Ok(effects.len())
    }

    async fn one(&self, effect: &DueEffect) {
        let carried_out = tokio::time::timeout(HANDLER_LIMIT, self.handler.carry_out(effect)).await;
        let NotCarriedOut { error, retry_after } = match carried_out {
            Ok(Ok(())) => return,
            Ok(Err(failed)) => failed,
            Err(_elapsed) => NotCarriedOut::new(format!("not done within {} s", HANDLER_LIMIT.as_secs())),
        };
        let now = self.clock.now();
        let asked = retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).map(|wait| now + wait);
        let due_at = next_try(effect.tries, now, (self.dice)()).max(asked.unwrap_or(now));
        tracing::warn!(
            error,
            effect = self.kind.as_str(),
            resource = %effect.resource,
            key = effect.key,
            tries = effect.tries + 1,
            due_at = %due_at.to_rfc3339(),
            "effect not carried out; it will be tried again"
        );
        let postponing = async {
            let mut connection = self.store.connection().await?;
            store::postpone_effect(&mut connection, effect.id, Some(due_at), Some(&error)).await
        };
        if let Err(error) = self.store.within(POSTGRES_LIMIT, "put off an effect", postponing).await {
            tracing::warn!(error = %Chain(&error), "effect waits for the end of its lease");
        }
    }
}

/// When an effect is tried again that has failed `tries` times before: 5 s, 10 s, 20 s … up to 10 min, shortened by up to
/// a quarter.
fn next_try(tries: u32, now: DateTime<Utc>, jitter: f64) -> DateTime<Utc> {
    let (first, longest) = RESTS;
    let doubled = first.checked_mul(2_i32.saturating_pow(tries.min(10))).unwrap_or(longest).min(longest);
    let milliseconds = i32::try_from(doubled.num_milliseconds()).unwrap_or(i32::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "at most ten minutes of milliseconds")]
    let shortened = (f64::from(milliseconds) * (1.0 - 0.25 * jitter.clamp(0.0, 1.0))) as i64;
    now + TimeDelta::milliseconds(shortened)
}
