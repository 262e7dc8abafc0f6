//! Times for people.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// An instant in UTC, in whole seconds.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// An instant that may be missing.
pub(crate) fn instant_or_dash(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), instant)
}

/// A span of time in whole seconds; negative ones, which clocks that disagree make, count as none.
pub(crate) fn span(span: TimeDelta) -> String {
    let seconds = u64::try_from(span.num_seconds()).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests;
