//! What a failed try of an event leads to, whatever was tried.

use crate::process::{Blame, FailedTry};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Next, RetryPolicy};
use store::{EventStanding, Failure, Intention, Queue};

/// By what a failed try is judged.
pub(crate) struct Judge<'a> {
    pub(crate) policy: &'a RetryPolicy,
    /// How long the relay leaves a dead letter to the worker's own publish.
    pub(crate) grace: TimeDelta,
    pub(crate) now: DateTime<Utc>,
    /// A draw from 0 to 1.
    pub(crate) jitter: f64,
}

/// What is to be written of a failed try.
pub(crate) struct Aftermath {
    pub(crate) failure: Failure,
    pub(crate) intention: Intention,
}

impl Aftermath {
    /// When the next try is due; `None` when there is none.
    pub(crate) fn due_at(&self) -> Option<DateTime<Utc>> {
        (!self.failure.dead).then_some(self.intention.due_at)
    }
}

impl Judge<'_> {
    /// What follows the failure of a try that began then.
    pub(crate) fn after(
        &self,
        failed: &FailedTry,
        locked: &EventStanding,
        started_at: DateTime<Utc>,
    ) -> Aftermath {
        let retry_after = failed.retry_after;
        let next = match failed.blame {
            Blame::Event | Blame::Resource => {
                self.policy.after_failure(locked.tries, failed.class, self.now, retry_after, self.jitter)
            }
            Blame::Outage | Blame::NotBegun => {
                self.policy.after_outage(locked.tries, self.now, retry_after, self.jitter)
            }
        };
        let (tries, dead, due_at) = match next {
            Next::Retry { at, tries } => (tries, false, at),
            Next::Wait { at } => (locked.tries, false, at),
            Next::Dead { tries } => (tries, true, self.now + self.grace),
        };
        let intention = Intention {
            event: locked.event,
            queue: if dead { Queue::Dead } else { locked.queue },
            generation: locked.generation,
            tries,
            due_at,
        };
        let failure = Failure {
            event: locked.event,
            generation: locked.generation,
            tries,
            counts: tries > locked.tries,
            dead,
            started_at,
            class: failed.class,
            error: failed.error.clone(),
            request_id: failed.request_id.clone(),
        };
        Aftermath { failure, intention }
    }
}
