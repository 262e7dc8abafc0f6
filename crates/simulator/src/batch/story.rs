//! A plausible life of a session, step by step.

use std::collections::BTreeMap;

use rand::{RngExt, rngs::StdRng};

use crate::world::Scenario;

/// What usually happens to a running session, by weight.
const USUAL: [(Scenario, u32); 9] = [
    (Scenario::TurnEnd, 60),
    (Scenario::RequiresAction, 20),
    (Scenario::Outcome, 5),
    (Scenario::Error, 3),
    (Scenario::RetriesExhausted, 3),
    (Scenario::ThreadCreated, 3),
    (Scenario::Updated, 3),
    (Scenario::Refusal, 2),
    (Scenario::Terminated, 12),
];

/// Scenarios that cause exactly one webhook in a running session; the others do not fit into a story of given length.
const WHILE_RUNNING: [Scenario; 9] = [
    Scenario::TurnEnd,
    Scenario::RequiresAction,
    Scenario::Outcome,
    Scenario::Error,
    Scenario::RetriesExhausted,
    Scenario::ThreadCreated,
    Scenario::Updated,
    Scenario::Refusal,
    Scenario::Terminated,
];

/// `length` steps, each causing one webhook: a run starts, something happens, and so on; what cannot be undone
/// comes last.
pub(crate) fn story(length: usize, mix: &BTreeMap<Scenario, u32>, rng: &mut StdRng) -> Vec<Scenario> {
    let weight = |scenario: Scenario| mix.get(&scenario).copied().unwrap_or_default();
    let usual: BTreeMap<Scenario, u32> = USUAL.into_iter().collect();
    let weights = if mix.is_empty() { &usual } else { mix };
    let mut steps = Vec::with_capacity(length);
    let mut running = false;
    for index in 0..length {
        let last = index + 1 == length;
        let step = if running {
            let candidates = weights.iter().map(|(scenario, weight)| (*scenario, *weight));
            draw(candidates.filter(|(scenario, _)| fits(*scenario, last)).collect(), rng)
                .unwrap_or(Scenario::TurnEnd)
        } else if last && index > 0 {
            let ends = [Scenario::Archived, Scenario::Deleted].map(|scenario| (scenario, weight(scenario)));
            draw(ends.to_vec(), rng).unwrap_or(Scenario::RunStarted)
        } else {
            Scenario::RunStarted
        };
        let goes_on = [Scenario::RunStarted, Scenario::Outcome, Scenario::ThreadCreated, Scenario::Updated]
            .contains(&step);
        running = goes_on;
        steps.push(step);
    }
    steps
}

fn fits(scenario: Scenario, last: bool) -> bool {
    WHILE_RUNNING.contains(&scenario) && (last || scenario != Scenario::Terminated)
}

/// One of the candidates by weight; none when all weights are zero.
fn draw(candidates: Vec<(Scenario, u32)>, rng: &mut StdRng) -> Option<Scenario> {
    let total: u32 = candidates.iter().map(|(_, weight)| weight).sum();
    if total == 0 {
        return None;
    }
    let mut ticket = rng.random_range(0..total);
    for (scenario, weight) in candidates {
        match ticket.checked_sub(weight) {
            Some(rest) => ticket = rest,
            None => return Some(scenario),
        }
    }
    None
}

/// The webhook type that a step causes.
pub(crate) fn webhook_type(step: Scenario) -> &'static str {
    match step {
        Scenario::Created => "session.created",
        Scenario::RunStarted => "session.status_run_started",
        Scenario::TurnEnd | Scenario::RequiresAction | Scenario::Refusal | Scenario::RetriesExhausted => {
            "session.status_idled"
        }
        Scenario::Error => "session.status_rescheduled",
        Scenario::Terminated | Scenario::Archived => "session.status_terminated",
        Scenario::Deleted => "session.deleted",
        Scenario::BudgetReached => "session.budget_reached",
        Scenario::Updated => "session.updated",
        Scenario::Outcome => "session.outcome_evaluation_ended",
        Scenario::ThreadCreated | Scenario::ThreadLifecycle => "session.thread_created",
        Scenario::ThreadIdled => "session.thread_idled",
        Scenario::ThreadTerminated => "session.thread_terminated",
    }
}

/// The name of the flat contract where it has one of its own.
pub(crate) fn flat_type(step: Scenario) -> &'static str {
    if step == Scenario::RequiresAction {
        "tool.result_pending"
    } else if step == Scenario::RetriesExhausted {
        "session.status_error"
    } else if step == Scenario::Terminated {
        "session.status_completed"
    } else {
        webhook_type(step)
    }
}
