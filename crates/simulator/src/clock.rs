//! The simulator's one real clock and its way of writing times.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

/// The current time. Only request handlers and background tasks read it; the world and the plans get it passed in.
#[expect(clippy::disallowed_methods, reason = "a development tool that does not depend on `runtime`'s clock")]
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now())
}

/// Resource timestamps: milliseconds, so that `updated_at` moves within a second.
pub(crate) fn millis(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Webhook timestamps: the platform prints whole seconds, so ties are normal.
pub(crate) fn seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
