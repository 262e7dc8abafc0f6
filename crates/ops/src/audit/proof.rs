//! When everything that was published before a marker has left the queue and the hands of the workers.

use super::Config;
use chrono::{DateTime, Utc};
use serde::Serialize;
use store::WorkerReport;

/// How far the proof of a round is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Proof {
    /// No worker was handed the marker yet: it waits behind other messages, or is lost itself.
    InQueue,
    /// The marker came back just now.
    Grace,
    /// A worker has, or may have, a message in hand that was published before the marker.
    InHands {
        /// The worker's name.
        worker: String,
    },
    /// What is still missing is in no queue and in nobody's hands.
    Proven,
}

/// What the reports of the workers say of a marker that was handed out at `returned_at`. `reports` are those of workers
/// that have not been silent for too long.
pub(super) fn proof(
    returned_at: Option<DateTime<Utc>>,
    reports: &[WorkerReport],
    now: DateTime<Utc>,
    config: &Config,
) -> Proof {
    let Some(returned_at) = returned_at else { return Proof::InQueue };
    if now < returned_at + config.grace {
        return Proof::Grace;
    }
    // Only what was delivered clearly after the marker was published after it.
    let clearly_after = returned_at + config.clocks_differ;
    let is_past = |report: &&WorkerReport| {
        report.reported_at > clearly_after
            && !report.holds_redelivered
            && report.held_since.is_none_or(|since| since > clearly_after)
    };
    reports
        .iter()
        .find(|report| !is_past(report))
        .map_or(Proof::Proven, |report| Proof::InHands { worker: report.worker.clone() })
}

#[cfg(test)]
mod tests;
