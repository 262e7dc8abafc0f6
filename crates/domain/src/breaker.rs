//! When to stop asking upstream, and when to try again.
//!
//! A failed call has one of two reasons: what it asked for is broken, or upstream is. The first is the event's business
//! and costs it a try; the second is nobody's fault, and repeating it for every waiting event would only use up their
//! tries. The breaker is told how each call ended ([`Sign`]) and says whether there may be another one ([`Stance`]).
//!
//! It opens at once when there is no doubt ([`Sign::Wall`]: nothing answers, the key is refused, we are throttled). In
//! doubt, when upstream answers but calls fail, it opens when most calls of the window have failed; one broken resource
//! does not do that. Each pause ends with one probe. Pauses grow until a probe is served.

mod window;

use crate::retry::LONGEST_RETRY_AFTER;
use chrono::{DateTime, TimeDelta, Utc};
use window::Window;

/// Why there is a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Upstream answers nothing at all, or only with server errors.
    Away,
    /// Upstream answers some questions, but most calls fail.
    Failing,
    /// Upstream asked us to slow down.
    Throttled,
    /// Upstream refuses our key. A person must act.
    Configuration,
}

impl Cause {
    /// All causes, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Away, Self::Failing, Self::Throttled, Self::Configuration];

    /// The name under which the cause is counted and logged.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Failing => "failing",
            Self::Throttled => "throttled",
            Self::Configuration => "configuration",
        }
    }
}

/// What the end of a call tells about upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It answered; what it said does not matter here.
    Served,
    /// The call failed although upstream answers other questions. Whose fault it is, only many calls can tell.
    Failed,
    /// No call could have succeeded.
    Wall {
        /// Why not.
        cause: Cause,
        /// How long upstream asked us to wait.
        retry_after: Option<TimeDelta>,
    },
    /// Nothing: no call was made, or it says nothing about upstream.
    Nothing,
}

/// Whether a call may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stance {
    /// As many as you like.
    Free,
    /// One, and [`Breaker::begin_probe`] before it.
    ProbeDue,
    /// None: the probe is under way.
    Probing,
    /// None.
    Shut,
}

/// Who reports a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The probe.
    Probe,
    /// Any other call; one that began before a pause may end in it.
    Other,
}

/// What a sign has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing that matters to others.
    None,
    /// A pause has begun, or begun anew after a failed probe.
    Opened {
        /// Why.
        cause: Cause,
        /// Until the next probe.
        pause: TimeDelta,
    },
    /// The pause is over.
    Closed,
}

/// The answer to a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether a failure of this call was the event's own, so that it may use up a try.
    pub counts: bool,
    /// What has changed.
    pub change: Change,
}

/// How long a breaker stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// The first pause; each further one is twice as long.
    pub first: TimeDelta,
    /// The longest one.
    pub longest: TimeDelta,
}

impl Default for Pauses {
    /// 1 s, so that a hiccup costs no more; 30 s at most, so that work goes on soon after the longest outage, and
    /// upstream sees two calls a minute until then.
    fn default() -> Self {
        Self { first: TimeDelta::seconds(1), longest: TimeDelta::seconds(30) }
    }
}

impl Pauses {
    /// The pause after so many others without success: a half to the whole of it, as `jitter` (0 to 1) says, so that
    /// many workers do not probe at the same moment.
    fn nth(self, before: u32, jitter: f64) -> TimeDelta {
        let factor = 1_i32 << before.min(20);
        let full = self.first.checked_mul(factor).unwrap_or(self.longest).min(self.longest);
        let share = if jitter.is_nan() { 1.0 } else { 0.5 + jitter.clamp(0.0, 1.0) / 2.0 };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "pauses are hours at most"
        )]
        let pause = TimeDelta::milliseconds((full.num_milliseconds() as f64 * share) as i64);
        pause
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { since: DateTime<Utc>, until: DateTime<Utc> },
    Probing,
}

/// The breaker of one process before one upstream.
#[derive(Debug, Clone)]
pub struct Breaker {
    pauses: Pauses,
    window: Window,
    state: State,
    /// Of the pause; stays when it is over.
    cause: Cause,
    /// Pauses since the last success.
    opened: u32,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(pauses: Pauses) -> Self {
        Self { pauses, window: Window::default(), state: State::Closed, cause: Cause::Away, opened: 0 }
    }

    /// Whether a call may begin at `now`.
    #[must_use]
    pub fn stance(&self, now: DateTime<Utc>) -> Stance {
        match self.state {
            State::Closed => Stance::Free,
            State::Probing => Stance::Probing,
            // A clock that was set back must not prolong the pause.
            State::Open { since, until } if now >= until || now < since => Stance::ProbeDue,
            State::Open { .. } => Stance::Shut,
        }
    }

    /// Why there is a pause, if there is one. The probe is part of it.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        (self.state != State::Closed).then_some(self.cause)
    }

    /// Makes the call that begins now the one probe. Its end must be reported, with [`Sign::Nothing`] if need be.
    pub fn begin_probe(&mut self) {
        self.state = State::Probing;
    }

    /// Takes in how a call ended at `now`. `jitter` is drawn by the caller from 0 to 1.
    pub fn record(&mut self, caller: Caller, sign: Sign, now: DateTime<Utc>, jitter: f64) -> Verdict {
        match (self.state, caller) {
            (State::Closed, _) => self.record_closed(sign, now, jitter),
            (State::Probing, Caller::Probe) => self.record_probe(sign, now, jitter),
            (State::Probing | State::Open { .. }, _) => self.record_late(sign, now),
        }
    }

    fn record_closed(&mut self, sign: Sign, now: DateTime<Utc>, jitter: f64) -> Verdict {
        match sign {
            Sign::Nothing => Verdict { counts: true, change: Change::None },
            Sign::Wall { cause, retry_after } => self.open(cause, retry_after, now, jitter),
            Sign::Served | Sign::Failed => {
                self.window.push(now, sign == Sign::Failed);
                if self.window.mostly_failed() {
                    return self.open(Cause::Failing, None, now, jitter);
                }
                Verdict { counts: true, change: Change::None }
            }
        }
    }

    fn record_probe(&mut self, sign: Sign, now: DateTime<Utc>, jitter: f64) -> Verdict {
        match sign {
            // The next call is the probe.
            Sign::Nothing => {
                self.state = State::Open { since: now, until: now };
                Verdict { counts: true, change: Change::None }
            }
            Sign::Served => self.close(),
            // What had shut us is gone, since upstream answers other questions: the failure is the event's own.
            Sign::Failed if self.cause != Cause::Failing => {
                let closed = self.close();
                self.window.push(now, true);
                closed
            }
            Sign::Failed => self.open(Cause::Failing, None, now, jitter),
            Sign::Wall { cause, retry_after } => self.open(cause, retry_after, now, jitter),
        }
    }

    /// A call that began before the pause. Its success is old news, its failure is what we know already; but a wait
    /// that upstream asks for is kept.
    fn record_late(&mut self, sign: Sign, now: DateTime<Utc>) -> Verdict {
        if let Sign::Wall { cause: Cause::Throttled, retry_after: Some(asked) } = sign
            && let State::Open { since, until } = self.state
        {
            self.state = State::Open { since, until: until.max(now + asked.min(LONGEST_RETRY_AFTER)) };
        }
        Verdict { counts: sign == Sign::Nothing, change: Change::None }
    }

    fn open(
        &mut self,
        cause: Cause,
        retry_after: Option<TimeDelta>,
        now: DateTime<Utc>,
        jitter: f64,
    ) -> Verdict {
        let own = self.pauses.nth(self.opened, jitter);
        let pause = match (cause, retry_after) {
            // As long as asked, and never shorter: whoever comes back too early is asked to wait even longer.
            (Cause::Throttled, Some(asked)) => asked.clamp(TimeDelta::zero(), LONGEST_RETRY_AFTER),
            (_, _) => own,
        };
        self.state = State::Open { since: now, until: now + pause };
        self.cause = cause;
        self.opened = self.opened.saturating_add(1);
        // What was before the pause is not held against upstream after it.
        self.window.clear();
        Verdict { counts: false, change: Change::Opened { cause, pause } }
    }

    fn close(&mut self) -> Verdict {
        self.state = State::Closed;
        self.opened = 0;
        Verdict { counts: true, change: Change::Closed }
    }
}

#[cfg(test)]
mod tests;
