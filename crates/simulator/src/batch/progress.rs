//! How far batches are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::webhook::Report;

/// Surprises kept per batch; all are counted.
const SURPRISES_KEPT: usize = 20;

/// One batch, as `GET /_sim/send/{id}` shows it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Progress {
    pub(crate) id: u64,
    pub(crate) seed: u64,
    pub(crate) done: bool,
    /// Deliveries to make, duplicates and bad ones included, dropped ones not.
    pub(crate) planned: usize,
    /// Deliveries that ended.
    pub(crate) sent: usize,
    /// Valid deliveries that got a 2xx.
    pub(crate) acknowledged: usize,
    /// Those of them that the receiver knew already.
    pub(crate) skipped: usize,
    /// Stale or badly signed deliveries that got a 400.
    pub(crate) rejected: usize,
    pub(crate) dropped: usize,
    /// Deliveries that ended otherwise than they should.
    pub(crate) unexpected: usize,
    /// The first of them.
    pub(crate) surprises: Vec<Report>,
    pub(crate) sessions: usize,
    /// The session whose API calls all fail.
    pub(crate) fault_session: Option<String>,
    pub(crate) elapsed_ms: u64,
}

impl Progress {
    pub(crate) fn surprise(&mut self, report: Report) {
        self.unexpected += 1;
        if self.surprises.len() < SURPRISES_KEPT {
            self.surprises.push(report);
        }
    }
}

/// All batches since the last reset.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    last_id: u64,
    known: BTreeMap<u64, Arc<Mutex<Progress>>>,
    stop: CancellationToken,
}

impl Batches {
    /// Enters a new batch; the token ends it early.
    pub(crate) fn enter(&mut self, progress: Progress) -> (Arc<Mutex<Progress>>, CancellationToken) {
        self.last_id += 1;
        let entry = Arc::new(Mutex::new(Progress { id: self.last_id, ..progress }));
        self.known.insert(self.last_id, Arc::clone(&entry));
        (entry, self.stop.child_token())
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<Mutex<Progress>>> {
        self.known.get(&id).cloned()
    }

    /// Ends and forgets all batches; ids are not used again.
    pub(crate) fn reset(&mut self) {
        self.stop.cancel();
        *self = Self { last_id: self.last_id, ..Self::default() };
    }
}
