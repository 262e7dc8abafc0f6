//! What became of each delivery.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Reports kept; older ones make room, the totals go on counting.
const KEPT: usize = 20_000;

/// One HTTP request to a receiver.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    /// 0 for the first copy, then 1 and up for duplicates.
    pub(crate) copy: u32,
    /// 1 to 3.
    #[serde(rename = "attempt")]
    pub(crate) number: u32,
    /// When it began, RFC 3339.
    pub(crate) at: String,
    /// The receiver's status, or null when there was no answer.
    pub(crate) status: Option<u16>,
    /// Whether the receiver said that it knew the event already.
    pub(crate) skipped: bool,
    /// Why there was no answer.
    pub(crate) error: Option<String>,
}

impl Attempt {
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Every copy got a 2xx.
    Acknowledged,
    /// A copy ran out of attempts.
    Failed,
    /// Never sent, on purpose.
    Dropped,
    /// Never sent: the endpoint is disabled.
    Disabled,
    /// Never sent: there is no endpoint or it does not want the type.
    Unsubscribed,
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) event_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) session: Option<String>,
    /// What it was about: `data.id`.
    pub(crate) resource: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) attempts: Vec<Attempt>,
}

/// Sums over all deliveries since the last reset.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Totals {
    /// Requests made.
    pub(crate) attempts: u64,
    /// Requests answered with a 2xx.
    pub(crate) acknowledged_attempts: u64,
    /// Requests answered with a 2xx that said `skipped`.
    pub(crate) skipped: u64,
    pub(crate) acknowledged: u64,
    pub(crate) failed: u64,
    pub(crate) dropped: u64,
    pub(crate) disabled: u64,
    pub(crate) unsubscribed: u64,
}

/// The reports, newest last.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    reports: VecDeque<Report>,
    pub(crate) totals: Totals,
}

impl Journal {
    pub(crate) fn add(&mut self, report: Report) {
        let totals = &mut self.totals;
        let acknowledged = report.attempts.iter().filter(|attempt| attempt.is_acknowledged());
        totals.attempts += report.attempts.len() as u64;
        totals.acknowledged_attempts += acknowledged.clone().count() as u64;
        totals.skipped += acknowledged.filter(|attempt| attempt.skipped).count() as u64;
        *match report.outcome {
            Outcome::Acknowledged => &mut totals.acknowledged,
            Outcome::Failed => &mut totals.failed,
            Outcome::Dropped => &mut totals.dropped,
            Outcome::Disabled => &mut totals.disabled,
            Outcome::Unsubscribed => &mut totals.unsubscribed,
        } += 1;
        if self.reports.len() == KEPT {
            self.reports.pop_front();
        }
        self.reports.push_back(report);
    }

    /// The newest reports that `wanted` lets through, newest first.
    pub(crate) fn newest(&self, limit: usize, wanted: impl Fn(&Report) -> bool) -> Vec<Report> {
        self.reports.iter().rev().filter(|report| wanted(report)).take(limit).cloned().collect()
    }
}
