//! Holes in what we know of a session, and what belongs into them.
//!
//! [`find`] looks at nothing but our own history and so costs nothing: it tells whether the succession of events is
//! impossible, which means that some of them were never delivered. [`fill`] compares the history with the session's own
//! list of events, which has everything, and says which webhooks should have been there.

use crate::resource::{ResourceKind, ResourceRef};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

mod succession;
mod transitions;
pub use succession::{Gap, find};

/// How far the time of a webhook may lie from that of the transition it tells of. Webhooks have whole seconds.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// The types of a session's own events that webhooks tell of, in the words of the list.
pub const TRANSITIONS: [&str; 9] = [
    "session.status_running",
    "session.status_idle",
    "session.status_rescheduled",
    "session.status_terminated",
    "session.updated",
    "session.thread_created",
    "session.thread_status_idle",
    "session.thread_status_terminated",
    "span.outcome_evaluation_end",
];

/// An event that stands in the history of a session or of one of its threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its type.
    pub event_type: String,
    /// The thread that it happened to; `None` for the session itself.
    pub thread: Option<String>,
    /// When it happened.
    pub created_at: DateTime<Utc>,
}

/// An event of the session's own list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Its id.
    pub id: String,
    /// Its type, in the words of the list.
    pub kind: String,
    /// The thread that it names.
    pub thread: Option<String>,
    /// When it took place.
    pub at: DateTime<Utc>,
    /// Of an idle event, the type of its stop reason.
    pub stop_reason: Option<String>,
    /// Of an update, whether it changed the budget.
    pub changes_budget: bool,
}

/// A webhook that should have been delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its type.
    pub event_type: &'static str,
    /// What it happened to.
    pub resource: ResourceRef,
    /// When.
    pub at: DateTime<Utc>,
    /// The event of the list that tells of it.
    pub listed: String,
}

/// The webhooks for `listed` (a part of the session's own events, oldest first) that are not in `history`, oldest first.
/// Each entry of the history stands for one transition, the nearest of its type within [`TOLERANCE`].
#[must_use]
pub fn fill(session: &str, history: &[Entry], listed: &[Transition]) -> Vec<Lost> {
    let known_threads: BTreeSet<&str> = history.iter().filter_map(|entry| entry.thread.as_deref()).collect();
    let expected = transitions::webhooks(session, listed, &known_threads);
    let mut kinds: BTreeMap<(&str, Option<&str>), Alike> = BTreeMap::new();
    for (index, lost) in expected.iter().enumerate() {
        let thread = (lost.resource.kind == ResourceKind::SessionThread).then_some(lost.resource.id.as_str());
        kinds.entry((lost.event_type, thread)).or_default().expected.push(index);
    }
    for entry in history {
        if let Some(alike) = kinds.get_mut(&(entry.event_type.as_str(), entry.thread.as_deref())) {
            alike.had.push(entry.created_at);
        }
    }
    let mut delivered = BTreeSet::new();
    for Alike { expected: indices, had } in kinds.into_values() {
        let at = |index: &usize| expected.get(*index).map_or(DateTime::UNIX_EPOCH, |lost| lost.at);
        let times: Vec<DateTime<Utc>> = indices.iter().map(at).collect();
        delivered.extend(matched(&times, &had).into_iter().filter_map(|n| indices.get(n).copied()));
    }
    let lost = expected.into_iter().enumerate().filter(|(index, _)| !delivered.contains(index));
    lost.map(|(_, lost)| lost).collect()
}

/// What is expected and what there is of one type, in one thread or in the session itself.
#[derive(Default)]
struct Alike {
    /// Positions of webhooks that should be there.
    expected: Vec<usize>,
    /// Times of those that are.
    had: Vec<DateTime<Utc>>,
}

/// Which of the transitions (by position) have an entry of their own, nearest pairs first.
fn matched(transitions: &[DateTime<Utc>], had: &[DateTime<Utc>]) -> Vec<usize> {
    let mut pairs = Vec::new();
    for (transition, at) in transitions.iter().enumerate() {
        for (entry, created_at) in had.iter().enumerate() {
            let apart = distance(*at, *created_at);
            if apart <= TOLERANCE {
                pairs.push((apart, transition, entry));
            }
        }
    }
    pairs.sort();
    let (mut taken, mut used) = (BTreeSet::new(), BTreeSet::new());
    for (_, transition, entry) in pairs {
        if !taken.contains(&transition) && !used.contains(&entry) {
            taken.insert(transition);
            used.insert(entry);
        }
    }
    taken.into_iter().collect()
}

/// A webhook's time has lost its fraction, so the transition's is not counted either.
fn distance(transition: DateTime<Utc>, created_at: DateTime<Utc>) -> TimeDelta {
    TimeDelta::seconds((transition.timestamp() - created_at.timestamp()).abs())
}

#[cfg(test)]
mod tests;
