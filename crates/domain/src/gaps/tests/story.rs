//! Lives of sessions as the platform would lead and tell them.

use super::{Entry, Transition, at, entry, transition};
use proptest::prelude::*;

/// What a session does next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Turn,
    Budget,
    Reschedule,
    Outcome,
    Rename,
    Thread,
}

/// The list of a session's own events, and the webhooks of it.
pub(super) fn told() -> impl Strategy<Value = (Vec<Transition>, Vec<Entry>)> {
    let step = proptest::sample::select(vec![
        Step::Turn,
        Step::Budget,
        Step::Reschedule,
        Step::Outcome,
        Step::Rename,
        Step::Thread,
    ]);
    (proptest::collection::vec((step, 0..999_i64), 1..8), proptest::bool::ANY)
        .prop_map(|(steps, ends)| lead(&steps, ends))
}

fn lead(steps: &[(Step, i64)], ends: bool) -> (Vec<Transition>, Vec<Entry>) {
    let (mut listed, mut told) = (Vec::new(), Vec::new());
    // Far enough apart that no webhook can be taken for that of another transition.
    let mut clock = 0_i64;
    let mut happens = |kind: &str, webhooks: &[&str], fraction: i64| {
        clock += 7;
        listed.push(transition(kind, clock * 1_000 + fraction));
        told.extend(webhooks.iter().map(|webhook| entry(webhook, clock)));
    };
    for (number, (step, fraction)) in steps.iter().enumerate() {
        let mut happens = |kind: &str, webhooks: &[&str]| happens(kind, webhooks, *fraction);
        if matches!(step, Step::Rename) {
            happens("updated", &["updated"]);
            continue;
        }
        happens("status_running", &["status_run_started"]);
        match step {
            Step::Turn | Step::Rename => happens("status_idle/end_turn", &["status_idled"]),
            Step::Budget => {
                happens("status_idle/budget_reached", &["budget_reached", "status_idled"]);
                happens("updated$", &["updated"]);
            }
            Step::Reschedule => {
                happens("status_rescheduled", &["status_rescheduled"]);
                happens("status_running", &["status_run_started"]);
                happens("status_idle/requires_action", &["status_idled"]);
            }
            Step::Outcome => {
                happens("span.outcome_evaluation_end", &["outcome_evaluation_ended"]);
                happens("status_idle/end_turn", &["status_idled"]);
            }
            Step::Thread => {
                let thread = |what: &str| format!("{what}@sthr_{number}");
                happens(&thread("thread_created"), &[&thread("thread_created")]);
                happens(&thread("thread_status_idle"), &[&thread("thread_idled")]);
                happens(&thread("thread_status_terminated"), &[&thread("thread_terminated")]);
                happens("status_idle/end_turn", &["status_idled"]);
            }
        }
    }
    // A session that ends unused is looked into, once and for nothing.
    if ends && steps.iter().any(|(step, _)| !matches!(step, Step::Rename)) {
        happens("status_terminated", &["status_terminated"], 0);
    }
    debug_assert!(listed.iter().all(|transition| transition.at >= at(0)));
    (listed, told)
}
