//! What is wrong with the signed time.

use super::{Code, Finding};
use crate::claim::parse_timestamp;
use crate::rejection::check_freshness;

/// Larger numbers are later than the year 5000 in seconds, and in milliseconds they begin in 1973.
const LARGEST_PLAUSIBLE_SECONDS: i64 = 100_000_000_000;

/// The first thing that is wrong with it; `None` when all is well or no time is signed.
pub(super) fn finding(
    timestamp: Option<&str>,
    now_unix_seconds: i64,
    tolerance_seconds: u32,
) -> Option<Finding> {
    let Some(signed_at) = parse_timestamp(timestamp?) else {
        return Some(Code::TimestampUnreadable.into());
    };
    if signed_at > LARGEST_PLAUSIBLE_SECONDS {
        return Some(Code::TimestampInMilliseconds.into());
    }
    let rejection = check_freshness(signed_at, now_unix_seconds, tolerance_seconds).err()?;
    let skew_seconds = rejection.skew_seconds?;
    let (code, direction) =
        if skew_seconds > 0 { (Code::TooOld, "ago") } else { (Code::TooNew, "in the future") };
    let distance = skew_seconds.unsigned_abs();
    let fact =
        format!("The delivery was signed {distance} s {direction}, where {tolerance_seconds} s are allowed.");
    Some(Finding::with_fact(code, &fact))
}
