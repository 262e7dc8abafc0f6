//! The budget of calls to the Claude API that all workers share, as the gate before each request.
//!
//! Tokens come from Postgres, some at a time. Whoever finds none waits, in the order in which they came; that costs no
//! event a try, and the watchdog knows of it. A 429 stops the workers all together, for as long as the platform asks.
//!
//! While Postgres is away, each worker goes on with a bucket of its own and a quarter of the rate: it cannot know what the
//! others use.

mod metrics;

pub use metrics::Metrics;

use crate::process::Progress;
use chrono::{DateTime, TimeDelta, Utc};
use claude::{Pace, Paced};
use domain::budget::{Bucket, Grant};
use domain::{CallClass, Clock, Rate};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use store::Store;
use telemetry::{Chain, LogLimiter};
use tokio::sync::Mutex;

/// How long Postgres may take to give tokens. A call that waits longer is worth less than one too many.
const POSTGRES_LIMIT: Duration = Duration::from_secs(5);

/// How long a worker goes on by itself before it asks Postgres again.
const ALONE: TimeDelta = TimeDelta::seconds(15);

/// For how long tokens that were taken count. After it they are forgotten, so that a pause is noticed by all in time.
const KEPT: TimeDelta = TimeDelta::seconds(1);

/// How long to sleep at most before looking again: the watchdog has to hear of the waiting, and a pause may be over.
const LONGEST_SLEEP: TimeDelta = TimeDelta::seconds(1);

/// How long to stop when the platform says that we ask too much and not how long to wait, and the longest stop it may ask
/// for.
const STOPS: (TimeDelta, TimeDelta) = (TimeDelta::seconds(2), TimeDelta::minutes(15));

/// How many calls a minute are allowed, of all workers together. `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Retrieving and listing.
    pub reads: Option<Rate>,
    /// Everything that changes something.
    pub writes: Option<Rate>,
}

/// The gate of one process.
pub struct Budget {
    reads: Option<Mutex<Stock>>,
    writes: Option<Mutex<Stock>>,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// Whom the watchdog asks.
    progress: OnceLock<Progress>,
    log: std::sync::Mutex<LogLimiter>,
}

/// The tokens of one class that this process has.
struct Stock {
    class: CallClass,
    rate: Rate,
    tokens: u32,
    taken_at: DateTime<Utc>,
    /// Since when, if so, this worker goes on by itself, and with what.
    alone: Option<(DateTime<Utc>, Bucket)>,
    paused_until: Option<DateTime<Utc>>,
}

impl Budget {
    /// A gate. Any number of processes may have one.
    #[must_use]
    pub fn new(rates: Rates, store: Store, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        let now = clock.now();
        let stock = |class, rate: Option<Rate>| {
            rate.map(|rate| {
                let paused_until = None;
                Mutex::new(Stock { class, rate, tokens: 0, taken_at: now, alone: None, paused_until })
            })
        };
        Self {
            reads: stock(CallClass::Read, rates.reads),
            writes: stock(CallClass::Write, rates.writes),
            store,
            clock,
            metrics,
            progress: OnceLock::new(),
            log: std::sync::Mutex::new(LogLimiter::new(Duration::from_secs(30))),
        }
    }

    /// Tells the watchdog of this process about all waiting from now on. The first call counts.
    pub fn report_to(&self, progress: Progress) {
        let _already_reporting = self.progress.set(progress).is_err();
    }

    const fn stock(&self, class: CallClass) -> Option<&Mutex<Stock>> {
        match class {
            CallClass::Read => self.reads.as_ref(),
            CallClass::Write => self.writes.as_ref(),
        }
    }

    /// Waits for a token and uses it up.
    async fn wait(&self, class: CallClass) {
        let Some(stock) = self.stock(class) else { return };
        let asked_at = Instant::now();
        let mut has_waited = false;
        // Whoever waits keeps the lock: the others stand behind in the order in which they came, and one alone asks.
        let mut stock = stock.lock().await;
        loop {
            let now = self.clock.now();
            if stock.use_one(now) {
                break;
            }
            let grant = self.refill(&mut stock, now).await;
            let rate = stock.rate_now();
            stock.take_in(grant, now);
            if grant.tokens == 0 {
                has_waited = true;
                let wait = grant.wait(rate, now).min(LONGEST_SLEEP);
                tokio::time::sleep(wait.to_std().unwrap_or_default().max(Duration::from_millis(5))).await;
                if let Some(progress) = self.progress.get() {
                    progress.excused();
                }
            }
        }
        drop(stock);
        // Those behind somebody who waits have waited, too; those behind an answer of Postgres hardly.
        if has_waited || asked_at.elapsed() > Duration::from_millis(100) {
            self.metrics.count_wait(class, asked_at.elapsed());
        }
    }

    /// Takes the next tokens: from the shared bucket, or from our own while that cannot be reached.
    async fn refill(&self, stock: &mut Stock, now: DateTime<Utc>) -> Grant {
        if let Some((since, bucket)) = &mut stock.alone
            && now - *since < ALONE
        {
            return bucket.take(stock.rate.quarter(), 1, now);
        }
        let (class, rate) = (stock.class, stock.rate);
        let taking = async {
            let mut connection = self.store.connection().await?;
            store::take_tokens(&mut connection, class, rate, rate.batch(), now).await
        };
        match self.store.within(POSTGRES_LIMIT, "take tokens of the API budget", taking).await {
            Ok(grant) => {
                stock.alone = None;
                grant
            }
            Err(error) => {
                self.complain(&error);
                let mut bucket = match stock.alone.take() {
                    Some((_, bucket)) => bucket,
                    None => Bucket::empty(now),
                };
                if let Some(until) = stock.paused_until {
                    bucket.pause(until);
                }
                let grant = bucket.take(rate.quarter(), 1, now);
                stock.alone = Some((self.clock.now(), bucket));
                grant
            }
        }
    }

    fn complain(&self, error: &store::Error) {
        let mut log = self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(suppressed) = log.admit("alone", Instant::now()) {
            tracing::warn!(
                error = %Chain(error),
                suppressed,
                "the shared budget of API calls cannot be asked; this worker goes on with a quarter of it"
            );
        }
    }

    /// Stops all workers for as long as the platform asks.
    async fn stop(&self, retry_after: Option<Duration>) {
        let (usual, longest) = STOPS;
        let wait = retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or(usual).min(longest);
        let until = self.clock.now() + wait;
        let mut is_news = false;
        for stock in [&self.reads, &self.writes].into_iter().flatten() {
            // Whoever waits in front of this class will read of the pause.
            if let Ok(mut stock) = stock.try_lock() {
                is_news |= stock.pause(until);
            } else {
                is_news = true;
            }
        }
        if !is_news {
            return;
        }
        self.metrics.count_stop();
        let pausing = async {
            let mut connection = self.store.connection().await?;
            store::pause_calls(&mut connection, until).await
        };
        if let Err(error) = self.store.within(POSTGRES_LIMIT, "pause the calls of the API", pausing).await {
            tracing::debug!(error = %Chain(&error), "the other workers do not know that we were throttled");
        }
    }
}

impl Stock {
    fn use_one(&mut self, now: DateTime<Utc>) -> bool {
        if now - self.taken_at > KEPT || self.tokens == 0 {
            self.tokens = 0;
            return false;
        }
        self.tokens -= 1;
        true
    }

    const fn take_in(&mut self, grant: Grant, now: DateTime<Utc>) {
        self.tokens = grant.tokens;
        self.taken_at = now;
        self.paused_until = grant.paused_until;
    }

    fn rate_now(&self) -> Rate {
        if self.alone.is_some() { self.rate.quarter() } else { self.rate }
    }

    /// Whether the pause was not known.
    fn pause(&mut self, until: DateTime<Utc>) -> bool {
        self.tokens = 0;
        if let Some((_, bucket)) = &mut self.alone {
            bucket.pause(until);
        }
        let is_news = self.paused_until.is_none_or(|known| known + TimeDelta::milliseconds(500) < until);
        self.paused_until = self.paused_until.max(Some(until));
        is_news
    }
}

impl Pace for Budget {
    fn before(&self, class: CallClass) -> Paced<'_> {
        Box::pin(self.wait(class))
    }

    fn throttled(&self, retry_after: Option<Duration>) -> Paced<'_> {
        Box::pin(self.stop(retry_after))
    }
}
