//! Which webhook tells of which event of a session's own list. The two have different names for the same thing.

use super::{Lost, Transition};
use crate::resource::{ResourceKind, ResourceRef};
use std::collections::BTreeSet;

/// The webhooks of these transitions.
pub(super) fn webhooks(session: &str, listed: &[Transition], known_threads: &BTreeSet<&str>) -> Vec<Lost> {
    let mut threads: BTreeSet<&str> = known_threads.clone();
    // One webhook per value of the budget, however often the session says that it is used up. A session that runs again
    // got another one.
    let mut budget_is_told = false;
    let mut webhooks = Vec::new();
    for transition in listed {
        let session_itself =
            || ResourceRef { kind: ResourceKind::Session, id: session.to_owned(), parent_id: None };
        let mut push = |event_type: &'static str, resource: ResourceRef| {
            webhooks.push(Lost { event_type, resource, at: transition.at, listed: transition.id.clone() });
        };
        match transition.kind.as_str() {
            "session.status_running" => {
                budget_is_told = false;
                push("session.status_run_started", session_itself());
            }
            "session.status_idle" => {
                if transition.stop_reason.as_deref() == Some("budget_reached")
                    && !std::mem::replace(&mut budget_is_told, true)
                {
                    push("session.budget_reached", session_itself());
                }
                push("session.status_idled", session_itself());
            }
            "session.status_rescheduled" => push("session.status_rescheduled", session_itself()),
            "session.status_terminated" => push("session.status_terminated", session_itself()),
            "span.outcome_evaluation_end" => push("session.outcome_evaluation_ended", session_itself()),
            "session.updated" => {
                budget_is_told &= !transition.changes_budget;
                push("session.updated", session_itself());
            }
            kind => {
                let Some(thread) = transition.thread.as_deref() else { continue };
                let event_type = match kind {
                    "session.thread_created" => "session.thread_created",
                    "session.thread_status_idle" => "session.thread_idled",
                    "session.thread_status_terminated" => "session.thread_terminated",
                    _ => continue,
                };
                if kind == "session.thread_created" {
                    threads.insert(thread);
                }
                // The primary thread is listed like the others, and no webhook tells of it. It is the one that nobody
                // has opened.
                if threads.contains(thread) {
                    let parent_id = Some(session.to_owned());
                    let (kind, id) = (ResourceKind::SessionThread, thread.to_owned());
                    push(event_type, ResourceRef { kind, id, parent_id });
                }
            }
        }
    }
    webhooks
}
