//! Taking replies: who has them until when, before anything is said to the platform.

use super::Context;
use super::intake::Job;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use domain::EventStatus;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;
use store::{EventStanding, Finished, Intention, Queue, Reply, ReplyEnd};

/// How long one transaction may take before its connection is taken for dead.
pub(super) const POSTGRES_LIMIT: Duration = Duration::from_secs(30);

/// Replies that are this worker's until `until`.
pub(super) struct Taken {
    /// By the place of the job.
    pub(super) replies: Vec<(usize, Reply)>,
    pub(super) until: DateTime<Utc>,
}

/// What the transaction does with those that are not taken.
#[derive(Default)]
struct LetGo {
    finished: Vec<Finished>,
    ended: Vec<(i64, ReplyEnd)>,
    later: Vec<Intention>,
    over: u32,
}

/// Takes the replies of jobs of one session. What is not in the answer is over, or will come again: its message may go.
pub(super) async fn take(context: &Context, jobs: &[Job]) -> Result<Taken, store::Error> {
    // As Postgres keeps it: the lease is recognized by it.
    let now = context.clock.now().trunc_subsecs(6);
    let until = now + TimeDelta::from_std(context.config.lease).unwrap_or(TimeDelta::MAX);
    let mut tx = context.store.begin("take replies").await?;
    let keys: Vec<_> = jobs.iter().map(|job| job.key.clone()).collect();
    let standings = store::lock_events(&mut tx, &keys).await?;
    let events: BTreeSet<i64> = standings.values().map(|standing| standing.event).collect();
    let mut replies = store::lock_replies(&mut tx, &events.into_iter().collect::<Vec<_>>()).await?;
    let (mut taken, mut rest, mut seen) = (Vec::new(), LetGo::default(), HashSet::new());
    for (place, job) in jobs.iter().enumerate() {
        let Some(standing) = standings.get(&job.key) else {
            // Its event was committed before it was published. Nobody has decided this, as far as Postgres knows.
            tracing::error!(event.id = %job.key.id, "a reply that Postgres does not know is not posted");
            context.metrics.count("unknown");
            continue;
        };
        // Two messages of one event may be in the group; the first one counts.
        if !job.is_for(standing) || !seen.insert(standing.event) {
            rest.over += 1;
            continue;
        }
        if let Some(reply) = rest.unless_to_be_taken(replies.remove(&standing.event), standing, now) {
            taken.push((place, reply));
        }
    }
    let events: Vec<i64> = taken.iter().map(|(_, reply)| reply.event).collect();
    store::hold_replies(&mut tx, &events, &context.config.worker, until).await?;
    store::schedule(&mut tx, &rest.later).await?;
    store::end_replies(&mut tx, &rest.ended).await?;
    store::finish(&mut tx, &rest.finished, now).await?;
    tx.commit().await?;
    rest.count(context);
    Ok(Taken { replies: taken, until })
}

impl LetGo {
    /// Gives back a reply that is to be posted now.
    fn unless_to_be_taken(
        &mut self,
        reply: Option<Reply>,
        standing: &EventStanding,
        now: DateTime<Utc>,
    ) -> Option<Reply> {
        let event = standing.event;
        let Some(mut reply) = reply else {
            // An event that only looks like a decision.
            self.finished.push(Finished { event, status: EventStatus::Ignored });
            return None;
        };
        if reply.is_replaced {
            // The request waits for the later decision, so it stays as it is.
            self.ended.push((event, ReplyEnd::Obsolete));
            self.finished.push(Finished { event, status: EventStatus::Superseded });
            return None;
        }
        if let Some(until) = reply.posting_until.filter(|until| *until > now) {
            let (generation, tries) = (standing.generation, standing.tries);
            self.later.push(Intention { event, queue: Queue::Replies, generation, tries, due_at: until });
            return None;
        }
        // Whoever had it before may have got as far as the platform.
        reply.maybe_posted |= reply.posting_by.is_some();
        Some(reply)
    }

    fn count(&self, context: &Context) {
        for _ in 0..self.over {
            context.metrics.count("repeated");
        }
        for _ in &self.later {
            context.metrics.count("held");
        }
        for (_, end) in &self.ended {
            context.metrics.count(end.as_str());
        }
    }
}
