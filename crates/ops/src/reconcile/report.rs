//! What a comparison has found.

use domain::ResourceKind;
use serde::Serialize;

/// What was found of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindReport {
    /// What was compared.
    pub kind: ResourceKind,
    /// Resources compared.
    pub compared: u64,
    /// Of those, unknown to us.
    pub missing: u64,
    /// Of those, known and different, or lacking events in their history.
    pub differing: u64,
    /// Resources that are held and no longer there.
    pub deleted: u64,
    /// Resources that were left alone, because events of theirs are not finished.
    pub unsettled: u64,
    /// Events that were lost and are queued now (or would be, in a dry run).
    pub queued: u64,
    /// Events that were lost, had been found before, and were not queued again.
    pub known: u64,
}

impl KindReport {
    /// Nothing.
    #[must_use]
    pub const fn new(kind: ResourceKind) -> Self {
        Self { kind, compared: 0, missing: 0, differing: 0, deleted: 0, unsettled: 0, queued: 0, known: 0 }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Kind by kind.
    pub kinds: Vec<KindReport>,
}

impl Report {
    /// Changes what was found of a kind.
    pub(super) fn note(&mut self, kind: ResourceKind, change: impl FnOnce(&mut KindReport)) {
        if let Some(known) = self.kinds.iter_mut().find(|report| report.kind == kind) {
            return change(known);
        }
        let mut report = KindReport::new(kind);
        change(&mut report);
        self.kinds.push(report);
    }

    /// Whether anything differs from what the API lists.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.kinds.iter().any(|kind| kind.missing + kind.differing + kind.deleted > 0)
    }
}
