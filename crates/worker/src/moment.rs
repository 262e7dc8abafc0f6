//! Instants on the command line.

use chrono::{DateTime, TimeDelta, Utc};
use std::str::FromStr;
use std::time::Duration;

/// Longer ago than any event; keeps instants within what Postgres can store.
const LONGEST_AGO: Duration = Duration::from_hours(100 * 366 * 24);

/// An instant as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long before now, as in `1h`.
    Ago(TimeDelta),
    /// In full, as in `2026-11-22T00:41:05Z`.
    At(DateTime<Utc>),
}

impl Moment {
    /// The instant that is meant.
    pub(crate) fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(ago) => now - ago,
            Self::At(at) => at,
        }
    }
}

/// The text is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected how long ago, such as 90s, 1h or 7days, or an instant such as 2026-11-22T00:41:05Z")]
pub(crate) struct InvalidMoment;

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        let ago = humantime::parse_duration(text).map_err(|_no_duration| InvalidMoment)?;
        if ago > LONGEST_AGO {
            return Err(InvalidMoment);
        }
        TimeDelta::from_std(ago).map(Self::Ago).map_err(|_too_long| InvalidMoment)
    }
}

#[cfg(test)]
mod tests;
