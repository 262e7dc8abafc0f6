//! Writing what became of replies, in one transaction.

use super::Context;
use super::intake::Job;
use super::post::Outcome;
use crate::process::{Blame, FailedTry};
use crate::tries::{Aftermath, Judge};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::EventStatus;
use failpoints::failpoint;
use store::{Failure, Finished, Intention, Reply, ReplyEnd};

/// What became of replies that were taken until `until`, each with the place of its job.
pub(super) struct Settled {
    pub(super) outcomes: Vec<((usize, Reply), Outcome)>,
    pub(super) until: DateTime<Utc>,
}

/// What is told of a reply once the commit has made it true.
enum Told<'a> {
    Ended(ReplyEnd),
    Failed { failed: &'a FailedTry, attempt: u32, due_at: Option<DateTime<Utc>> },
}

#[derive(Default)]
struct Writes<'a> {
    told: Vec<(&'a Job, Told<'a>)>,
    ended: Vec<(i64, ReplyEnd)>,
    finished: Vec<Finished>,
    effects: Vec<i64>,
    released: Vec<i64>,
    maybe_posted: Vec<i64>,
    failures: Vec<Failure>,
    intentions: Vec<Intention>,
}

/// Writes it. A reply that somebody else has taken meanwhile, because all this took longer than the lease, is left to him.
pub(super) async fn write(context: &Context, jobs: &[Job], settled: &Settled) -> Result<(), store::Error> {
    let now = context.clock.now();
    let mut tx = context.store.begin("write what became of replies").await?;
    let keys: Vec<_> = jobs.iter().map(|job| job.key.clone()).collect();
    let standings = store::lock_events(&mut tx, &keys).await?;
    let events: Vec<i64> = settled.outcomes.iter().map(|((_, reply), _)| reply.event).collect();
    let locked = store::lock_replies(&mut tx, &events).await?;
    let mut writes = Writes::default();
    for ((place, reply), outcome) in &settled.outcomes {
        let Some(job) = jobs.get(*place) else { continue };
        let Some(standing) = standings.get(&job.key).filter(|standing| job.is_for(standing)) else {
            continue;
        };
        let is_mine = |locked: &Reply| {
            locked.posting_until == Some(settled.until)
                && locked.posting_by.as_deref() == Some(context.config.worker.as_str())
        };
        if !locked.get(&reply.event).is_some_and(is_mine) {
            continue;
        }
        match outcome {
            Outcome::Ended(end) => writes.end(job, reply, *end),
            Outcome::Failed { failed, maybe_posted } => {
                // The relay publishes dead letters of replies: there are few.
                let judge = Judge {
                    policy: &context.config.policy,
                    grace: TimeDelta::zero(),
                    now,
                    jitter: (context.dice)(),
                };
                writes.fail(job, failed, judge.after(failed, standing, job.started_at), *maybe_posted);
            }
        }
    }
    let told = std::mem::take(&mut writes.told);
    writes.carry_out(context, &mut tx, now).await?;
    failpoint!("replies.written");
    tx.commit().await?;
    for (job, told) in told {
        tell(context, job, &told);
    }
    Ok(())
}

impl<'a> Writes<'a> {
    fn end(&mut self, job: &'a Job, reply: &Reply, end: ReplyEnd) {
        let status = match end {
            ReplyEnd::Posted | ReplyEnd::Elsewhere => EventStatus::Applied,
            ReplyEnd::Obsolete => EventStatus::Superseded,
        };
        self.ended.push((reply.event, end));
        self.finished.push(Finished { event: reply.event, status });
        self.effects.push(reply.effect);
        self.told.push((job, Told::Ended(end)));
    }

    fn fail(&mut self, job: &'a Job, failed: &'a FailedTry, aftermath: Aftermath, maybe_posted: bool) {
        let (due_at, attempt) = (aftermath.due_at(), aftermath.failure.tries);
        self.released.push(aftermath.failure.event);
        if maybe_posted {
            self.maybe_posted.push(aftermath.failure.event);
        }
        self.failures.push(aftermath.failure);
        self.intentions.push(aftermath.intention);
        self.told.push((job, Told::Failed { failed, attempt, due_at }));
    }

    async fn carry_out(
        mut self,
        context: &Context,
        tx: &mut store::Tx,
        now: DateTime<Utc>,
    ) -> Result<(), store::Error> {
        if !self.ended.is_empty() {
            store::end_replies(tx, &self.ended).await?;
            store::finish(tx, &self.finished, now).await?;
            // Everybody locks in the same order.
            self.effects.sort_unstable();
            for effect in self.effects {
                store::finish_effect(tx, effect, now).await?;
            }
        }
        if !self.failures.is_empty() {
            store::release_replies(tx, &self.released, &self.maybe_posted).await?;
            store::record_failures(tx, &self.failures, &context.config.worker, now).await?;
            store::schedule(tx, &self.intentions).await?;
        }
        Ok(())
    }
}

/// Counts and logs what has become of a reply, within the trace of what led to it.
fn tell(context: &Context, job: &Job, told: &Told<'_>) {
    let _span = job.span.enter();
    match told {
        Told::Ended(end) => {
            context.metrics.count(end.as_str());
            tracing::info!(outcome = end.as_str(), "reply dealt with");
        }
        Told::Failed { failed, attempt, due_at } => {
            let what = if failed.blame == Blame::Outage {
                "reply not posted in an outage; no try is used up"
            } else if due_at.is_some() {
                "reply not posted"
            } else {
                "reply not posted in its last try; it is a dead letter now"
            };
            context.metrics.count(if due_at.is_some() { "failed" } else { "dead" });
            tracing::warn!(
                delivery.attempt = attempt,
                class = failed.class.as_str(),
                error = failed.error,
                request.id = failed.request_id,
                due_at = due_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
                "{what}"
            );
        }
    }
}
