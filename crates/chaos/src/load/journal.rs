//! What the sender knows: what it sent, what was acknowledged, and every other answer.

use super::SentEvent;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The sender's record.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    sent: HashMap<String, SentEvent>,
    acknowledged: HashSet<String>,
    counts: Counts,
}

/// Figures of the record.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    /// Events.
    pub(crate) sent: usize,
    /// Events of which a delivery was answered 2xx.
    pub(crate) acknowledged: usize,
    /// Requests.
    pub(crate) requests: usize,
    /// Answers other than 2xx, by status.
    pub(crate) refusals: BTreeMap<u16, usize>,
    /// Requests without an answer: the process was away or died.
    pub(crate) unanswered: usize,
    /// Deliveries that were given up after the last attempt.
    pub(crate) given_up: usize,
}

impl Counts {
    /// Answers other than 2xx.
    pub(crate) fn non_2xx(&self) -> usize {
        self.refusals.values().sum()
    }
}

impl Journal {
    pub(crate) fn sent(&self, event: &SentEvent) {
        self.record().sent.insert(event.id.clone(), event.clone());
    }

    pub(super) fn answered(&self, id: &str, status: u16) {
        let mut record = self.record();
        record.counts.requests += 1;
        if (200..300).contains(&status) {
            record.acknowledged.insert(id.to_owned());
        } else {
            *record.counts.refusals.entry(status).or_default() += 1;
        }
    }

    pub(super) fn unanswered(&self) {
        let mut record = self.record();
        record.counts.requests += 1;
        record.counts.unanswered += 1;
    }

    pub(super) fn gave_up(&self) {
        self.record().counts.given_up += 1;
    }

    pub(crate) fn counts(&self) -> Counts {
        let record = self.record();
        let (sent, acknowledged) = (record.sent.len(), record.acknowledged.len());
        Counts { sent, acknowledged, ..record.counts.clone() }
    }

    pub(crate) fn acknowledged(&self) -> HashSet<String> {
        self.record().acknowledged.clone()
    }

    pub(crate) fn events(&self) -> HashMap<String, SentEvent> {
        self.record().sent.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
