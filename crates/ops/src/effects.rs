//! Carrying out effects: what events call for, done by whichever worker claims it.
//!
//! An effect is a row that the transaction of its event has written. A [`Runner`] of its kind claims what is due under a
//! lease and hands it to a [`Handler`], which writes the result and [`store::finish_effect`] in one transaction. A worker
//! that dies gives its effects back by doing nothing. A failure puts the effect off, longer each time and never for good:
//! the effect is on record, and what it waits for (the Claude API, mostly) comes back.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::{Clock, EffectKind};
use futures_util::future::join_all;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{DueEffect, Store};
use telemetry::{Chain, LogLimiter};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often the table is asked when nothing was due.
const EVERY: Duration = Duration::from_millis(500);

/// How long an effect stays with a claimant that says nothing: what a worker leaves that dies waits for so long.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// How often a claimant that is still at it says so.
const RENEW_EVERY: Duration = Duration::from_secs(8);

/// Within which time a handler has to end; what is longer is begun anew.
const HANDLER_LIMIT: Duration = Duration::from_mins(10);

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

/// An effect that is ours until its lease ends.
struct Claimed {
    effect: DueEffect,
    lease_ends: DateTime<Utc>,
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
        let (runner, mut at_work) = (Arc::new(self), JoinSet::new());
        loop {
            let free = usize::from(runner.concurrency).saturating_sub(at_work.len());
            let mut full = free == 0;
            if !full {
                let claimed = tokio::select! {
                    claimed = runner.claim(free) => claimed,
                    () = stop.cancelled() => return,
                };
                match claimed {
                    Ok(claimed) => {
                        full = claimed.len() == free;
                        for claimed in claimed {
                            let runner = Arc::clone(&runner);
                            at_work.spawn(async move { runner.one(claimed).await });
                        }
                    }
                    Err(error) => {
                        if let Some(suppressed) = log.admit("claim", Instant::now()) {
                            tracing::warn!(error = %Chain(&error), effect = runner.kind.as_str(), suppressed, "effects not claimed");
                        }
                    }
                }
            }
            tokio::select! {
                Some(ended) = at_work.join_next(), if full => {
                    if let Err(error) = ended {
                        tracing::error!(%error, effect = runner.kind.as_str(), "carrying out an effect ended by a panic; it is tried again when its lease ends");
                    }
                }
                () = tokio::time::sleep(EVERY), if !full => while at_work.try_join_next().is_some() {},
                () = stop.cancelled() => return,
            }
        }
    }

    /// Claims what is due and carries it out. Returns how many there were.
    ///
    /// # Errors
    /// When nothing could be claimed.
    pub async fn round(&self) -> Result<usize, store::Error> {
        let claimed = self.claim(usize::from(self.concurrency)).await?;
        let count = claimed.len();
        join_all(claimed.into_iter().map(|claimed| self.one(claimed))).await;
        Ok(count)
    }

    async fn claim(&self, most: usize) -> Result<Vec<Claimed>, store::Error> {
        let now = self.clock.now();
        // As Postgres keeps it: the lease is recognized by it.
        let lease_ends = (now + LEASE).trunc_subsecs(6);
        let claiming = async {
            let mut connection = self.store.connection().await?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            store::claim_effects(&mut connection, self.kind, now, lease_ends, most).await
        };
        let effects = self.store.within(POSTGRES_LIMIT, "claim effects", claiming).await?;
        Ok(effects.into_iter().map(|effect| Claimed { effect, lease_ends }).collect())
    }

    async fn one(&self, claimed: Claimed) {
        let Claimed { effect, mut lease_ends } = claimed;
        let mut carrying = pin!(tokio::time::timeout(HANDLER_LIMIT, self.handler.carry_out(&effect)));
        let carried_out = loop {
            tokio::select! {
                carried_out = &mut carrying => break carried_out,
                () = tokio::time::sleep(RENEW_EVERY) => lease_ends = self.renew(&effect, lease_ends).await,
            }
        };
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

    /// Prolongs the lease of what takes longer. Returns when it ends now. A handler that has scheduled the effect itself
    /// has the last word.
    async fn renew(&self, effect: &DueEffect, lease_ends: DateTime<Utc>) -> DateTime<Utc> {
        let longer = (self.clock.now() + LEASE).trunc_subsecs(6);
        let renewing = async {
            let mut connection = self.store.connection().await?;
            store::renew_effect(&mut connection, effect.id, lease_ends, longer).await
        };
        match self.store.within(POSTGRES_LIMIT, "prolong a lease", renewing).await {
            Ok(true) => longer,
            // Without the lease somebody else may begin the same: handlers write their result once.
            Ok(false) | Err(_) => lease_ends,
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
