//! How far lives are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// Lives of one order, as `GET /_sim/lives/{id}` shows them.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Progress {
    pub(crate) id: u64,
    pub(crate) seed: u64,
    /// All steps are taken and all webhooks delivered, dropped or given up.
    pub(crate) done: bool,
    pub(crate) sessions: usize,
    pub(crate) resources: usize,
    /// Lives of either kind that are over.
    pub(crate) ended: usize,
    /// Tool uses that somebody has to answer.
    pub(crate) asked: usize,
    /// Sessions that wait for an answer now.
    pub(crate) waiting: usize,
    /// Sessions that gave up waiting.
    pub(crate) unanswered: usize,
    /// Events that happened; those that answers cause are not counted here.
    pub(crate) webhooks: usize,
    /// Those of them that never arrived, on purpose.
    pub(crate) dropped: usize,
    /// Those that the receiver did not take in three attempts.
    pub(crate) failed: usize,
    pub(crate) elapsed_ms: u64,
}

/// All lives since the last reset.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    last_id: u64,
    known: BTreeMap<u64, Arc<Mutex<Progress>>>,
    stop: CancellationToken,
}

impl Lives {
    /// Enters new lives; the token ends them early.
    pub(crate) fn enter(&mut self, mut progress: Progress) -> (Arc<Mutex<Progress>>, CancellationToken) {
        self.last_id += 1;
        progress.id = self.last_id;
        let entry = Arc::new(Mutex::new(progress));
        self.known.insert(self.last_id, Arc::clone(&entry));
        (entry, self.stop.child_token())
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<Mutex<Progress>>> {
        self.known.get(&id).cloned()
    }

    /// Ends and forgets all lives; ids are not used again.
    pub(crate) fn reset(&mut self) {
        self.stop.cancel();
        *self = Self { last_id: self.last_id, ..Self::default() };
    }
}
