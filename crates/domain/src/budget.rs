//! How many calls of the Claude API may be made: a bucket of tokens for each class of call, one token for one request.
//!
//! The platform's limit is one for a whole organization. So the bucket that counts is shared by all workers (`store` has
//! it, with the arithmetic of this module as a statement); one of these here serves a worker that cannot reach it.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};

/// What a call is counted as. The platform limits both, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallClass {
    /// Retrieving and listing.
    Read,
    /// Everything that changes something.
    Write,
}

impl CallClass {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The name under which the class is stored and counted.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// How many calls a minute are allowed. The bucket holds as many tokens as that and fills continuously.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    per_minute: f64,
}

impl Rate {
    /// So many calls a minute; `None` for 0, which means no limit.
    #[must_use]
    pub fn per_minute(calls: u32) -> Option<Self> {
        (calls > 0).then(|| Self { per_minute: f64::from(calls) })
    }

    /// Calls a second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        self.per_minute / 60.0
    }

    /// A quarter of it: for a worker that cannot know what the others use.
    #[must_use]
    pub fn quarter(self) -> Self {
        Self { per_minute: self.per_minute / 4.0 }
    }

    /// Tokens of a full bucket: those of a minute, and one at least.
    #[must_use]
    pub fn tokens(self) -> f64 {
        self.per_minute.max(1.0)
    }

    /// How many tokens one process takes at a time: those of about a second, so that a statement serves many calls and no
    /// process sits on many.
    #[must_use]
    pub fn batch(self) -> u32 {
        let second = self.per_second().clamp(1.0, 50.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 1 to 50")]
        let batch = second as u32;
        batch
    }

    fn time_for(self, tokens: f64) -> TimeDelta {
        #[expect(clippy::cast_possible_truncation, reason = "casting floats saturates")]
        let milliseconds = (tokens.max(0.0) / self.per_minute * 60_000.0).ceil() as i64;
        TimeDelta::try_milliseconds(milliseconds).unwrap_or(TimeDelta::MAX)
    }
}

/// What a bucket gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grant {
    /// So many calls may be made.
    pub tokens: u32,
    /// What is left in the bucket, parts of a token included.
    pub left: f64,
    /// Until when the platform has asked everybody to make no calls, if it has.
    pub paused_until: Option<DateTime<Utc>>,
}

impl Grant {
    /// After which time it is worth asking again, if nothing was given.
    #[must_use]
    pub fn wait(&self, rate: Rate, now: DateTime<Utc>) -> TimeDelta {
        if self.tokens > 0 {
            return TimeDelta::zero();
        }
        let pause = self.paused_until.map_or(TimeDelta::zero(), |until| until - now);
        pause.max(rate.time_for(1.0 - self.left))
    }
}

/// A bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    tokens: f64,
    refilled_at: DateTime<Utc>,
    paused_until: Option<DateTime<Utc>>,
}

impl Bucket {
    /// An empty one. Whoever was not reachable a moment ago may have given all its tokens away.
    #[must_use]
    pub const fn empty(now: DateTime<Utc>) -> Self {
        Self { tokens: 0.0, refilled_at: now, paused_until: None }
    }

    /// Fills the bucket with what time has brought, and takes up to `wanted` tokens.
    pub fn take(&mut self, rate: Rate, wanted: u32, now: DateTime<Utc>) -> Grant {
        // Clocks differ: one that is behind the last one brings nothing and takes nothing away.
        let seconds = (now - self.refilled_at).as_seconds_f64().max(0.0);
        self.refilled_at = self.refilled_at.max(now);
        self.tokens = rate.tokens().min(self.tokens + seconds * rate.per_second());
        let paused_until = self.paused_until.filter(|until| *until > now);
        let tokens = if paused_until.is_some() { 0.0 } else { self.tokens.floor().min(f64::from(wanted)) };
        self.tokens -= tokens;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to `wanted`")]
        let granted = tokens as u32;
        Grant { tokens: granted, left: self.tokens, paused_until }
    }

    /// Gives nothing until then. A pause is never made shorter.
    pub fn pause(&mut self, until: DateTime<Utc>) {
        self.paused_until = self.paused_until.max(Some(until));
    }
}
