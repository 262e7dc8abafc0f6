//! The one transaction of a batch: lock, check again, decide, write.

use super::Context;
use super::failure::{Blame, FailedTry};
use super::intake::is_current;
use super::job::Job;
use super::look::{Looked, named_best};
use super::outcome::{Verdict, verdicts};
use crate::message::event_of;
use crate::tries::Judge;
use broker::Message;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::decide::Overtaken;
use domain::{EventKey, EventStatus, Outcome, ResourceKind, ResourceRef, ResourceState, rule_for};
use failpoints::failpoint;
use std::collections::{BTreeMap, HashMap, HashSet};
use store::{
    EventStanding, Failure, Finished, HistoryEntry, Intention, NewEffect, NewEvent, NewState, Ticket, Tx,
};

/// What is to be done after the commit.
pub(super) struct Settled {
    /// Dead letters to publish, with their outbox rows.
    pub(super) dead: Vec<(Ticket, Message)>,
}

/// What is told of an event once the commit has made it true.
enum Told {
    Finished { status: EventStatus, age: chrono::TimeDelta },
    Failed { failure: FailedTry, attempt: u32, due_at: Option<DateTime<Utc>> },
}

/// All that one transaction writes.
#[derive(Default)]
struct Writes<'a> {
    told: Vec<(&'a Job, Told)>,
    states: Vec<(&'a ResourceRef, Option<&'a str>, ResourceState)>,
    history: Vec<HistoryEntry<'a>>,
    effects: Vec<NewEffect<'a>>,
    overtaken: Vec<(&'a ResourceRef, Overtaken)>,
    finished: Vec<Finished>,
    failures: Vec<Failure>,
    intentions: Vec<Intention>,
    dead: Vec<(i64, Message)>,
}

/// Writes a batch in one transaction. Each group's events are of one resource, and no two groups share one.
pub(super) async fn write(context: &Context, batch: &[Looked]) -> Result<Settled, store::Error> {
    let now = context.clock.now();
    let mut tx = context.store.begin("apply").await?;
    let jobs: Vec<&Job> = batch.iter().flat_map(|looked| &looked.jobs).collect();
    let locked = lock(&mut tx, &jobs).await?;
    let resources: Vec<&ResourceRef> =
        batch.iter().filter_map(|looked| looked.jobs.first()?.resource()).collect();
    let states = store::lock_states(&mut tx, &resources).await?;

    let mut writes = Writes::default();
    let mut done = HashSet::new();
    let mut over = 0;
    for looked in batch {
        let stored = looked
            .jobs
            .first()
            .and_then(Job::resource)
            .and_then(|resource| states.get(&(resource.kind, resource.id.clone())))
            .cloned()
            .unwrap_or_default();
        // Two messages of one event may be in the group; the first one counts. What has moved on since intake is over.
        let current: Vec<&Job> = looked
            .jobs
            .iter()
            .filter(|job| locked.get(&job.key).is_some_and(|locked| is_current(job, locked)))
            .filter(|job| done.insert(&job.key))
            .collect();
        over += looked.jobs.len() - current.len();
        let (verdicts, state) = verdicts(&current, &stored, &looked.seen);
        writes.group(context, &current, verdicts, state, &locked, now);
    }
    let told = std::mem::take(&mut writes.told);
    let dead = writes.carry_out(context, &mut tx, now).await?;
    failpoint!("apply.written");
    tx.commit().await?;
    failpoint!("apply.committed");
    for _ in 0..over {
        context.metrics.count_processed("repeated");
    }
    for (job, told) in told {
        tell(context, job, told);
    }
    Ok(Settled { dead })
}

/// Locks the events. One that is not stored was accepted by the broker alone; its message is enough to store it.
async fn lock(tx: &mut Tx, jobs: &[&Job]) -> Result<HashMap<EventKey, EventStanding>, store::Error> {
    let keys: Vec<EventKey> = jobs.iter().map(|job| job.key.clone()).collect();
    let locked = store::lock_events(tx, &keys).await?;
    let missing: Vec<NewEvent> = jobs
        .iter()
        .filter(|job| !locked.contains_key(&job.key))
        .map(|job| event_of(&job.message, job.key.endpoint.clone(), job.event.clone()))
        .collect();
    if missing.is_empty() {
        return Ok(locked);
    }
    tracing::info!(events = missing.len(), "events stored from their messages");
    // Nothing is scheduled: this transaction finishes them or schedules their next try.
    store::accept_batch(tx, &missing, None).await?;
    store::lock_events(tx, &keys).await
}

impl<'a> Writes<'a> {
    fn group(
        &mut self,
        context: &Context,
        jobs: &[&'a Job],
        verdicts: Vec<Verdict>,
        state: ResourceState,
        locked: &HashMap<EventKey, EventStanding>,
        now: DateTime<Utc>,
    ) {
        let mut overtaken = None;
        let mut workspace = None;
        for (job, verdict) in jobs.iter().zip(verdicts) {
            let Some(locked) = locked.get(&job.key) else { continue };
            match verdict {
                Verdict::Ignored => self.finish(job, locked, Outcome::Ignored, now),
                Verdict::Failed(failed) => self.fail(context, job, locked, failed, now),
                Verdict::Decided(decision) => {
                    self.finish(job, locked, decision.outcome, now);
                    let (Some(resource), Some(order)) = (job.resource(), decision.history) else { continue };
                    self.history.push(HistoryEntry {
                        resource,
                        order,
                        event_type: job.event.event_type.as_str(),
                        event: locked.event,
                    });
                    self.effects.extend(decision.effects.into_iter().map(|effect| NewEffect {
                        resource,
                        event: locked.event,
                        effect,
                    }));
                    // Not every dialect names the workspace: what one event of the group named stays.
                    workspace = job.event.workspace_id.as_deref().or(workspace);
                    overtaken = Some((resource, decision.overtaken));
                }
            }
        }
        if let Some((resource, overtaken)) = overtaken {
            let resource = named_best(jobs.iter().filter_map(|job| job.resource())).unwrap_or(resource);
            self.overtaken.push((resource, overtaken));
            self.states.push((resource, workspace, state));
        }
    }

    fn finish(&mut self, job: &'a Job, locked: &EventStanding, outcome: Outcome, now: DateTime<Utc>) {
        let status = outcome.status();
        self.finished.push(Finished { event: locked.event, status });
        self.told.push((job, Told::Finished { status, age: now - job.event.created_at }));
    }

    fn fail(
        &mut self,
        context: &Context,
        job: &'a Job,
        locked: &EventStanding,
        failed: FailedTry,
        now: DateTime<Utc>,
    ) {
        let judge = Judge {
            policy: &context.config.policy,
            grace: context.config.grace,
            now,
            jitter: (context.dice)(),
        };
        let aftermath = judge.after(&failed, locked, job.started_at);
        let (due_at, tries) = (aftermath.due_at(), aftermath.failure.tries);
        if aftermath.failure.dead {
            let failure = broker::Failure { class: failed.class, reason: failed.error.clone() };
            self.dead.push((locked.event, Message { tries, failure: Some(failure), ..job.message.clone() }));
        }
        self.intentions.push(aftermath.intention);
        self.failures.push(aftermath.failure);
        self.told.push((job, Told::Failed { failure: failed, attempt: tries, due_at }));
    }

    async fn carry_out(
        self,
        context: &Context,
        tx: &mut Tx,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Ticket, Message)>, store::Error> {
        if !self.states.is_empty() {
            let states: Vec<NewState<'_>> = self
                .states
                .iter()
                .map(|(resource, workspace_id, state)| NewState {
                    resource,
                    workspace_id: *workspace_id,
                    state,
                })
                .collect();
            store::save_states(tx, &states).await?;
            let messages = messages(&self.states);
            if !messages.is_empty() {
                store::save_messages(tx, &messages).await?;
            }
            store::record_history(tx, &self.history).await?;
        }
        if !self.effects.is_empty() {
            store::record_effects(tx, &self.effects, now).await?;
        }
        if self.overtaken.iter().any(|(_, overtaken)| *overtaken != Overtaken::Nothing) {
            store::close_overtaken(tx, &self.overtaken).await?;
        }
        if !self.finished.is_empty() {
            store::finish(tx, &self.finished, now).await?;
        }
        if self.failures.is_empty() {
            return Ok(Vec::new());
        }
        store::record_failures(tx, &self.failures, &context.config.worker, now).await?;
        let tickets: BTreeMap<i64, Ticket> = store::schedule(tx, &self.intentions)
            .await?
            .into_iter()
            .map(|ticket| (ticket.event, ticket))
            .collect();
        let dead = self.dead.into_iter();
        Ok(dead.filter_map(|(event, message)| Some((*tickets.get(&event)?, message))).collect())
    }
}

/// The messages among the resources, with what their newest payloads say.
fn messages<'a>(
    states: &[(&'a ResourceRef, Option<&str>, ResourceState)],
) -> Vec<(&'a str, domain::Message)> {
    let of_message = states.iter().filter(|(resource, ..)| resource.kind == ResourceKind::Message);
    let read = of_message.filter_map(|(resource, _, state)| {
        Some((resource.id.as_str(), domain::Message::read(&state.snapshot.as_ref()?.body)))
    });
    read.collect()
}

/// Counts and logs what has become of an event, within the event's own trace.
fn tell(context: &Context, job: &Job, told: Told) {
    let _span = job.span.enter();
    let resource = job.resource().map(tracing::field::display);
    match told {
        Told::Finished { status, age } => {
            context.metrics.count_processed(status.as_str());
            if rule_for(job.event.event_type.as_str()).is_none() {
                context.metrics.count_unknown_type(job.resource().map(|resource| resource.kind));
            }
            if status == EventStatus::Applied {
                context.metrics.observe_freshness(age);
            }
            tracing::info!(status = status.as_str(), resource, "event processed");
        }
        Told::Failed { failure, .. } if failure.blame == Blame::NotBegun => {
            context.metrics.count_processed("postponed");
            tracing::debug!(error = failure.error, resource, "event goes back to the outbox");
        }
        Told::Failed { failure, attempt, due_at } => {
            context.metrics.count_failed_try(failure.class);
            let what = if failure.blame == Blame::Outage {
                "call failed in an outage; no try is used up"
            } else if due_at.is_some() {
                "try failed"
            } else {
                context.metrics.count_processed("dead");
                "last try failed; the event is a dead letter now"
            };
            tracing::warn!(
                delivery.attempt = attempt,
                class = failure.class.as_str(),
                error = failure.error,
                request.id = failure.request_id,
                due_at = due_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
                resource,
                "{what}"
            );
        }
    }
}
