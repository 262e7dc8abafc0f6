//! Whether events can have happened in this succession, and in no other, without one in between.
//!
//! Every change of a session's status has its webhook, so the events of a session alternate: it runs, it rests, it runs.
//! Where they do not, one was lost. Each rule below only ever costs a look at the session's own list when it is wrong, and
//! such a look is taken once:
//!
//! - two runs without a rest between them, or two rests without a run (an answer to some of several questions makes a
//!   session say again that it waits: that look finds nothing);
//! - a rest, a reschedule or an end before anything else (a session that is archived unused looks so, too);
//! - a graded outcome or a reschedule of a session that rests;
//! - a budget that was reached without the rest that comes with it;
//! - a thread of which something is known before its creation.
//!
//! Webhooks have whole seconds, so what happened in the same second has no order: it is possible if any order of it is.

use super::{Entry, TOLERANCE};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Something is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Up to here nothing is known to be missing; `None`: from the beginning.
    pub since: Option<DateTime<Utc>>,
    /// What is impossible.
    pub why: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Nothing has happened yet.
    New,
    Running,
    Resting,
    /// Rescheduled, ended, or after a gap: anything may come.
    Unknown,
}

/// The first gap in the history of a session and its threads (oldest first), if there is one. `whole`: whether it is the
/// history from its beginning; of a part of it, nobody can say what came before.
#[must_use]
pub fn find(history: &[Entry], whole: bool) -> Option<Gap> {
    let own: Vec<&Entry> = history.iter().filter(|entry| entry.thread.is_none()).collect();
    let mut seconds: BTreeMap<i64, Vec<&Entry>> = BTreeMap::new();
    for entry in &own {
        seconds.entry(entry.created_at.timestamp()).or_default().push(entry);
    }
    let mut doing = if whole { Doing::New } else { Doing::Unknown };
    let mut since = None;
    for together in seconds.values() {
        match step(doing, together, &own) {
            Ok(next) => doing = next,
            Err(why) => return Some(Gap { since, why }),
        }
        since = together.iter().map(|entry| entry.created_at).max();
    }
    if whole { unborn(history) } else { None }
}

/// What happened to a session in one second: possible after what it did before, or not.
fn step(before: Doing, together: &[&Entry], all: &[&Entry]) -> Result<Doing, &'static str> {
    let count = |types: &[&str]| {
        // Several names of one transition may all be delivered.
        let of = |name: &&str| together.iter().filter(|entry| entry.event_type == **name).count();
        types.iter().map(of).max().unwrap_or_default()
    };
    let runs = count(&["session.status_run_started", "session.running"]);
    let rests = count(&["session.status_idled", "session.idled", "session.requires_action"]);
    let reschedules = count(&["session.status_rescheduled"]);
    let ends = count(&["session.status_terminated", "session.archived", "session.deleted"]);
    let graded = count(&["session.outcome_evaluation_ended"]);
    if count(&["session.budget_reached"]) > 0 && !rests_near(together, all) {
        return Err("a budget was reached, and the session did not come to rest");
    }
    let still = matches!(before, Doing::Resting | Doing::New) && runs == 0;
    if still && graded > 0 {
        return Err("an outcome was graded in a session that rests");
    }
    if still && reschedules > 0 {
        return Err("a session was rescheduled that rests");
    }
    if ends > 0 {
        return if before == Doing::New && runs == 0 {
            Err("a session ended before it did anything")
        } else {
            Ok(Doing::Unknown)
        };
    }
    if reschedules > 0 {
        return Ok(Doing::Unknown);
    }
    match (before, runs, rests) {
        (_, 0, 0) => Ok(before),
        (Doing::Unknown, runs, rests) if runs == rests => Ok(Doing::Unknown),
        (Doing::Unknown | Doing::Resting | Doing::New, runs, rests) if runs == rests + 1 => {
            Ok(Doing::Running)
        }
        (Doing::Unknown | Doing::Running, runs, rests) if rests == runs + 1 => Ok(Doing::Resting),
        (Doing::Running, runs, rests) if runs == rests => Ok(Doing::Running),
        (Doing::Resting | Doing::New, runs, rests) if runs == rests => Ok(Doing::Resting),
        (Doing::New, 0, _) => Err("a session rests before it ran"),
        (_, runs, rests) if runs > rests => Err("a session ran again without a rest"),
        _ => Err("a session rests again without a run"),
    }
}

fn rests_near(together: &[&Entry], all: &[&Entry]) -> bool {
    let rest = ["session.status_idled", "session.idled", "session.requires_action"];
    let near = |one: &Entry, other: &Entry| (one.created_at - other.created_at).abs() <= TOLERANCE;
    let budgets = together.iter().filter(|entry| entry.event_type == "session.budget_reached");
    budgets.into_iter().all(|budget| {
        all.iter().any(|entry| rest.contains(&entry.event_type.as_str()) && near(entry, budget))
    })
}

/// A thread of which something is known, but not that it was created.
fn unborn(history: &[Entry]) -> Option<Gap> {
    let born: BTreeSet<&str> = history
        .iter()
        .filter(|entry| entry.event_type == "session.thread_created")
        .filter_map(|entry| entry.thread.as_deref())
        .collect();
    let is_known = |entry: &Entry| entry.thread.as_deref().is_none_or(|thread| born.contains(thread));
    let why = "a thread did something before it was created";
    (!history.iter().all(is_known)).then_some(Gap { since: None, why })
}
