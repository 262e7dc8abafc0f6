//! Beginning with care: what ends every worker must not take along what they hold beside it.
//!
//! A worker that dies gives back all that it held, and each message comes nearer to the queue's delivery limit, whichever
//! of them it died of. So a new process takes messages one at a time for as long as they came back again and again, and
//! all that it may behind the first that did not.

use crate::message::Hints;
use lapin::BasicProperties;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A message that was given back so often is suspected. Not after the first time: one worker may well be killed, and all
/// that it held is innocent.
const SUSPECTED_AFTER: u64 = 2;

/// Whether a message may be what its earlier consumers died of.
pub(super) fn is_suspect(properties: &BasicProperties) -> bool {
    Hints::of(properties).delivery_count >= SUSPECTED_AFTER
}

/// Whether a consumer still begins; for all of its sessions.
#[derive(Debug, Clone, Default)]
pub(super) struct Care {
    is_over: Arc<AtomicBool>,
    is_told: Arc<AtomicBool>,
}

impl Care {
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether nobody has been told of it yet; from now on somebody has.
    pub(super) fn is_news(&self) -> bool {
        !self.is_told.swap(true, Ordering::Relaxed)
    }

    /// A message came that nobody can have died of, or none.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
