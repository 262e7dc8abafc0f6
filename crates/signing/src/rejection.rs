//! Why a delivery is not believed.

use std::fmt;

/// Why a delivery was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature rejected: {reason}")]
pub struct Rejection {
    /// The stable reason.
    pub reason: Reason,
    /// How many seconds before now the delivery says it was signed; negative when it says it was signed later
    /// than now. `None` when it names no readable time.
    pub skew_seconds: Option<i64>,
}

/// The stable reasons, for the answer to the sender and the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A required header is absent or empty.
    MissingHeader,
    /// The time is not written as whole Unix seconds in decimal digits.
    BadTimestamp,
    /// Signed too long ago: a replay, or clocks apart.
    TooOld,
    /// Signed too far in the future: clocks apart.
    TooNew,
    /// No secret makes any of the signatures.
    NoMatch,
}

impl Reason {
    /// The name in answers, metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::BadTimestamp => "bad_timestamp",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::NoMatch => "no_match",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a signed time is near enough to now. All three are in seconds, the first two since the Unix epoch. The
/// window is inclusive: a time exactly `tolerance_seconds` away passes.
///
/// [`verify`](crate::verify) does this itself wherever the signature covers a time. For
/// [`Freshness::FromBody`](crate::Freshness::FromBody) it is the caller's part, with the time from the signed body.
///
/// # Errors
///
/// [`Reason::TooOld`] or [`Reason::TooNew`], with the measured skew.
pub fn check_freshness(
    signed_at_unix_seconds: i64,
    now_unix_seconds: i64,
    tolerance_seconds: u32,
) -> Result<(), Rejection> {
    let skew_seconds = now_unix_seconds.saturating_sub(signed_at_unix_seconds);
    let tolerance_seconds = i64::from(tolerance_seconds);
    let reason = if skew_seconds > tolerance_seconds {
        Reason::TooOld
    } else if skew_seconds < -tolerance_seconds {
        Reason::TooNew
    } else {
        return Ok(());
    };
    Err(Rejection { reason, skew_seconds: Some(skew_seconds) })
}
