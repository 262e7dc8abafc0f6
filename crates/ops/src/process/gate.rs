//! Whether resources are looked at at all: the breaker before the Claude API, in the hands of one worker.

use super::Context;
use super::failure::{Blame, FailedTry};
use super::opinion::Opinion;
use crate::Metrics;
use chrono::{DateTime, Utc};
use domain::breaker::{Caller, Cause, Change, Pauses, Sign, Stance};
use domain::{Breaker, Clock, FailureClass, Observation};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use telemetry::LogLimiter;

/// Opens and closes for all groups of a worker.
pub(crate) struct Gate {
    inner: Mutex<Inner>,
    opinion: Opinion,
    clock: Arc<dyn Clock>,
    dice: fn() -> f64,
    metrics: Metrics,
}

struct Inner {
    breaker: Breaker,
    /// Until when the pause is in the metrics.
    accounted_until: Option<DateTime<Utc>>,
    log: LogLimiter,
}

impl Gate {
    pub(super) fn new(clock: Arc<dyn Clock>, dice: fn() -> f64, metrics: Metrics) -> Self {
        let log = LogLimiter::new(Duration::from_secs(30));
        let inner = Inner { breaker: Breaker::new(Pauses::default()), accounted_until: None, log };
        metrics.show_pause(None);
        Self { inner: Mutex::new(inner), opinion: Opinion::default(), clock, dice, metrics }
    }

    /// Whether a group may begin.
    pub(super) fn stance(&self) -> Stance {
        let mut inner = self.inner();
        if inner.breaker.cause().is_none() {
            return Stance::Free;
        }
        let now = self.clock.now();
        inner.account(&self.metrics, now);
        inner.breaker.stance(now)
    }

    /// Why no group may begin, if so.
    pub(super) fn cause(&self) -> Option<Cause> {
        self.inner().breaker.cause()
    }

    /// Lets one group through, if one may begin.
    pub(super) fn pass(context: &Arc<Context>) -> Option<Pass> {
        let gate = &context.gate;
        let caller = match gate.stance() {
            Stance::Free => Caller::Other,
            Stance::ProbeDue => {
                gate.inner().breaker.begin_probe();
                Caller::Probe
            }
            Stance::Probing | Stance::Shut => return None,
        };
        Some(Pass { context: Arc::clone(context), caller, is_used: false })
    }

    /// Takes in a sign; whether the failure behind it, if there is one, is the event's own.
    fn record(&self, caller: Caller, sign: Sign, error: &str) -> bool {
        let now = self.clock.now();
        let mut inner = self.inner();
        inner.account(&self.metrics, now);
        let verdict = inner.breaker.record(caller, sign, now, (self.dice)());
        match verdict.change {
            Change::None => {}
            Change::Opened { cause, pause } => {
                inner.accounted_until = Some(now);
                self.metrics.count_pause(cause);
                self.metrics.show_pause(Some(cause));
                if let Some(suppressed) = inner.log.admit(cause.as_str(), Instant::now()) {
                    complain(cause, pause.num_milliseconds(), error, suppressed);
                }
            }
            Change::Closed => {
                inner.accounted_until = None;
                self.metrics.show_pause(None);
                tracing::info!("the Claude API serves us again; work goes on");
            }
        }
        verdict.counts
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn account(&mut self, metrics: &Metrics, now: DateTime<Utc>) {
        if let (Some(until), Some(cause)) = (self.accounted_until, self.breaker.cause()) {
            metrics.count_paused(cause, now - until);
            self.accounted_until = Some(now);
        }
    }
}

/// Says what stops us, and who has to do something about it.
fn complain(cause: Cause, retry_in_ms: i64, error: &str, suppressed: u64) {
    let cause_name = cause.as_str();
    match cause {
        Cause::Away => {
            tracing::warn!(
                cause = cause_name,
                error,
                retry_in_ms,
                suppressed,
                "the Claude API is away; events wait in the queue and keep their tries"
            );
        }
        Cause::Failing => {
            tracing::warn!(
                cause = cause_name,
                error,
                retry_in_ms,
                suppressed,
                "most calls of the Claude API fail; events wait in the queue and keep their tries"
            );
        }
        Cause::Throttled => {
            tracing::warn!(
                cause = cause_name,
                error,
                retry_in_ms,
                suppressed,
                "the Claude API asks us to slow down; nothing is fetched until then"
            );
        }
        Cause::Configuration => {
            tracing::error!(
                cause = cause_name,
                error,
                retry_in_ms,
                suppressed,
                "the Claude API refuses us; give a valid key as ANTHROPIC_API_KEY and the right ANTHROPIC_BASE_URL, \
                 restart this worker and check with `worker doctor`; until then events wait in the queue"
            );
        }
    }
}

/// The permission to look at one resource. What comes of it is reported, by dropping it at the latest: a probe must
/// not get lost.
pub(super) struct Pass {
    context: Arc<Context>,
    caller: Caller,
    is_used: bool,
}

impl Pass {
    /// Whether a pause began after it was given, so that nothing is to be asked with it any more.
    pub(super) fn is_late(&self) -> bool {
        self.caller == Caller::Other && self.context.gate.cause().is_some()
    }

    /// Reports how a fetch ended, and finds out whose fault a failure is.
    ///
    /// Not counted as tries are failures of class `transient`
    ///
    /// - of a call that could not succeed because the API answers nothing, which a second question shows at once, even
    ///   when a single event waits;
    /// - of the call with which it turned out that most calls fail;
    /// - of calls that were under way then, and of probes during such a pause.
    ///
    /// All others count, be it that the API answers other questions (a broken resource dies after its tries), or that
    /// too few calls failed to say that most do.
    pub(super) async fn judge(
        mut self,
        result: Result<Observation, FailedTry>,
    ) -> Result<Observation, FailedTry> {
        let failed = match result {
            Ok(Observation::NotFetched) => return Ok(Observation::NotFetched),
            Ok(seen @ (Observation::Found(_) | Observation::Explained(..) | Observation::Gone)) => {
                self.report(Sign::Served, "");
                return Ok(seen);
            }
            // An odd object is an answer, and asking another question would not make it a better one.
            Err(failed) if failed.blame == Blame::Resource => {
                self.report(Sign::Served, "");
                return Err(failed);
            }
            Err(failed) => failed,
        };
        let is_late = self.is_late();
        let counts = match failed.class {
            FailureClass::Throttled => {
                let sign = Sign::Wall { cause: Cause::Throttled, retry_after: failed.retry_after };
                self.report(sign, &failed.error)
            }
            // Asking again would only tell what is known.
            FailureClass::Transient | FailureClass::Configuration if is_late => false,
            FailureClass::Transient => {
                let sign = self.context.gate.opinion.ask(&self.context).await;
                self.report(sign, &failed.error)
            }
            FailureClass::Configuration => {
                let sign = match self.context.gate.opinion.ask(&self.context).await {
                    // The key is fine; it is this resource that it must not see.
                    Sign::Failed => Sign::Served,
                    sign @ (Sign::Served | Sign::Wall { .. } | Sign::Nothing) => sign,
                };
                self.report(sign, &failed.error)
            }
            // Not every failure of these was an answer of the API.
            FailureClass::Gone | FailureClass::Permanent | FailureClass::Bug => true,
        };
        Err(if counts { failed } else { FailedTry { blame: Blame::Outage, ..failed } })
    }

    fn report(&mut self, sign: Sign, error: &str) -> bool {
        self.is_used = true;
        self.context.gate.record(self.caller, sign, error)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.is_used {
            self.report(Sign::Nothing, "");
        }
    }
}
