//! What becomes of each event of a group, decided on the rows that the transaction has locked. No I/O.

use super::failure::FailedTry;
use super::job::Job;
use super::look::payload_snapshot;
use domain::rules::Fetch;
use domain::{Decision, FailureClass, Observation, ResourceState, Rule, decide};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One event's outcome.
pub(super) enum Verdict {
    /// It is decided.
    Decided(Box<Decision>),
    /// Nothing is known to follow from it.
    Ignored,
    /// This try failed.
    Failed(FailedTry),
}

/// Decides the events of one resource, oldest first (deletions before all others, since they explain why the
/// resource is gone). Returns the verdicts in the order of `jobs` and the state that all of them lead to.
pub(super) fn verdicts(
    jobs: &[&Job],
    stored: &ResourceState,
    seen: &Result<Observation, FailedTry>,
) -> (Vec<Verdict>, ResourceState) {
    let rules: Vec<Option<Rule>> = jobs.iter().map(|job| job.rule()).collect();
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&n| {
        let deletes = rules.get(n).copied().flatten().is_some_and(|rule| rule.fetch == Fetch::Nothing);
        (!deletes, jobs.get(n).map(|job| job.event.order()))
    });

    let mut state = stored.clone();
    let mut verdicts: Vec<(usize, Verdict)> = Vec::with_capacity(jobs.len());
    for n in order {
        let (Some(job), Some(rule)) = (jobs.get(n), rules.get(n)) else { continue };
        let verdict = match rule {
            None => Verdict::Ignored,
            Some(rule) => verdict(job, rule, &state, seen),
        };
        if let Verdict::Decided(decision) = &verdict {
            state = decision.state.clone();
        }
        verdicts.push((n, verdict));
    }
    verdicts.sort_by_key(|(n, _)| *n);
    (verdicts.into_iter().map(|(_, verdict)| verdict).collect(), state)
}

fn verdict(job: &Job, rule: &Rule, state: &ResourceState, seen: &Result<Observation, FailedTry>) -> Verdict {
    let observation = match rule.fetch {
        Fetch::Nothing | Fetch::Unavailable => Ok(Observation::NotFetched),
        Fetch::Payload => payload_snapshot(job).map(Observation::Found).ok_or_else(|| {
            FailedTry::new(FailureClass::Permanent, "the payload of this classic event has no usable data")
        }),
        // When the deletion is known by now, nothing needed to be fetched.
        Fetch::Resource | Fetch::ResourceAndCause if state.deleted_at.is_some() => {
            Ok(Observation::NotFetched)
        }
        Fetch::Resource | Fetch::ResourceAndCause => seen.clone(),
    };
    let observation = match observation {
        Ok(observation) => observation,
        Err(failed) => return Verdict::Failed(failed),
    };
    match catch_unwind(AssertUnwindSafe(|| decide(state, &job.event, rule, &observation))) {
        Ok(Ok(decision)) => Verdict::Decided(Box::new(decision)),
        Ok(Err(class)) => Verdict::Failed(FailedTry::new(
            class,
            "the API does not know this resource (404), and no deletion of it was received",
        )),
        Err(panic) => Verdict::Failed(FailedTry::of_panic(panic.as_ref())),
    }
}
