//! How an endpoint fares, against the sender's patience: the platform disables an endpoint after about twenty deliveries in
//! a row that were not answered with success, and at once when it answers with a redirect.

use super::Severity;
use chrono::{DateTime, Utc};

/// From so many failures in a row on, a person should look.
const WARN: u64 = 5;

/// From so many on, there is little time left.
const CRITICAL: u64 = 15;

/// How the deliveries of an endpoint were answered, by one process or by all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fares {
    /// Failures since the last success.
    pub failures_in_a_row: u64,
    /// When the first of these was.
    pub failing_since: Option<DateTime<Utc>>,
    /// When a delivery was last answered with success.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When one was last answered otherwise.
    pub last_failure_at: Option<DateTime<Utc>>,
    /// The reason in that answer.
    pub last_failure_reason: Option<String>,
}

/// How an endpoint fares, from what each process says. A success of any process ends the row of all, since the sender
/// counts by endpoint. Of a row that began before it, at least the last failure came after it where that is younger.
#[must_use]
pub fn together(processes: &[Fares]) -> Fares {
    let last_success_at = processes.iter().filter_map(|fares| fares.last_success_at).max();
    let after_success =
        |at: Option<DateTime<Utc>>| at.is_some_and(|at| last_success_at.is_none_or(|success| at > success));
    let (mut failures_in_a_row, mut failing_since): (u64, Option<DateTime<Utc>>) = (0, None);
    for fares in processes {
        let (failures, since) = if after_success(fares.failing_since) {
            (fares.failures_in_a_row, fares.failing_since)
        } else if after_success(fares.last_failure_at) && fares.failures_in_a_row > 0 {
            (1, fares.last_failure_at)
        } else {
            continue;
        };
        failures_in_a_row = failures_in_a_row.saturating_add(failures);
        failing_since = [failing_since, since].into_iter().flatten().min();
    }
    let last = processes.iter().max_by_key(|fares| fares.last_failure_at);
    Fares {
        failures_in_a_row,
        failing_since,
        last_success_at,
        last_failure_at: last.and_then(|fares| fares.last_failure_at),
        last_failure_reason: last.and_then(|fares| fares.last_failure_reason.clone()),
    }
}

/// How urgent the failures of an endpoint are; `None` while nobody need look.
#[must_use]
pub const fn failing(fares: &Fares) -> Option<Severity> {
    match fares.failures_in_a_row {
        CRITICAL.. => Some(Severity::Critical),
        WARN.. => Some(Severity::Warning),
        _ => None,
    }
}
