//! What an answer's headers say about trying again.

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use std::time::Duration;

/// Longer requests to wait are read as this one, so that callers can add the wait to an instant without overflow.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The headers `x-should-retry`, `retry-after-ms` and `retry-after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hints {
    /// The platform's own word, which overrides every rule about statuses.
    pub(crate) should_retry: Option<bool>,
    /// How long to wait; always more than zero.
    pub(crate) retry_after: Option<Duration>,
}

impl Hints {
    pub(crate) fn read(headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
        let should_retry = match text("x-should-retry") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) | None => None,
        };
        // As the official clients do it: the first form that can be read at all decides, even if its value is
        // then unusable (zero, negative, a date in the past).
        let seconds = text("retry-after-ms")
            .and_then(|text| text.parse::<f64>().ok())
            .map(|milliseconds| milliseconds / 1000.0)
            .or_else(|| text("retry-after").and_then(|text| seconds_until(text, now)));
        Self { should_retry, retry_after: seconds.and_then(usable) }
    }
}

/// `retry-after` as seconds, perhaps with a fraction, or as an HTTP date.
fn seconds_until(text: &str, now: DateTime<Utc>) -> Option<f64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    // The HTTP date of today is a form of the mail date, which chrono reads.
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some((date.with_timezone(&Utc) - now).as_seconds_f64())
}

fn usable(seconds: f64) -> Option<Duration> {
    // False for NaN as well.
    let positive = seconds > 0.0;
    let capped = seconds.min(LONGEST_RETRY_AFTER.as_secs_f64());
    positive.then(|| Duration::try_from_secs_f64(capped).ok()).flatten()
}
