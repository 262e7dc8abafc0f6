//! Carrying a plan out: the world changes no later than the webhook about it leaves.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    sync::Semaphore,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    batch::{
        order::SendOrder,
        plan::{Fate, Plan, PlannedEvent, plan},
        progress::Progress,
    },
    clock::now,
    faults::Rule,
    lock::lock,
    shared::Shared,
    webhook::{DeliveryOptions, Envelope, Outcome, Parcel, Report},
    world::{Notice, Object},
};

/// How old a stale delivery's timestamp is: twice the window receivers allow.
const STALE_SECONDS: i64 = 600;

/// What all deliveries of one batch share.
struct Batch {
    shared: Shared,
    drop: f64,
    plan: Plan,
    /// Per session, the webhooks of the steps taken so far.
    taken: Mutex<Vec<Vec<Notice>>>,
    progress: Arc<Mutex<Progress>>,
}

/// Plans a batch, starts it in the background and answers its first progress.
pub(crate) fn start(shared: &Shared, order: &SendOrder) -> Progress {
    let seed = order.seed.unwrap_or_else(|| lock(&shared.world).ids().seed());
    let plan = plan(order, seed, now());
    for session in &plan.sessions {
        let begun = session.steps.first().map_or_else(now, |(_, at)| *at);
        lock(&shared.world).put(Some(&session.id), Object::new(), begun);
    }
    let fault_session =
        plan.sessions.first().filter(|_| order.fail_session).map(|session| session.id.clone());
    if let Some(id) = &fault_session {
        lock(&shared.faults).add(Rule::failing(format!("/v1/sessions/{id}"), 500));
    }
    let dropped = plan.sends.iter().filter(|(_, fate)| *fate == Fate::Dropped).count();
    let (progress, stop) = lock(&shared.batches).enter(Progress {
        seed,
        planned: plan.sends.len() - dropped,
        dropped,
        sessions: plan.sessions.len(),
        fault_session,
        ..Progress::default()
    });
    let first = lock(&progress).clone();
    let taken = Mutex::new(vec![Vec::new(); plan.sessions.len()]);
    let batch = Arc::new(Batch { shared: shared.clone(), drop: order.drop, plan, taken, progress });
    let (rate, concurrency) = (order.rate, order.concurrency.max(1));
    shared.tasks.spawn(run(batch, rate, concurrency, stop));
    first
}

async fn run(batch: Arc<Batch>, rate: Option<f64>, concurrency: usize, stop: CancellationToken) {
    let begun = Instant::now();
    let permits = Arc::new(Semaphore::new(concurrency));
    let deliveries = TaskTracker::new();
    let pace = rate.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
    let mut ticks = pace.filter(|pace| !pace.is_zero()).map(interval);
    if let Some(ticks) = &mut ticks {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst); // keeps the rate above the timer's resolution
    }
    for (index, fate) in batch.plan.sends.clone() {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { break };
        if stop.is_cancelled() || batch.shared.stop.is_cancelled() {
            break;
        }
        let batch = Arc::clone(&batch);
        deliveries.spawn(async move {
            batch.deliver(index, fate).await;
            lock(&batch.progress).elapsed_ms = elapsed_ms(begun);
            drop(permit);
        });
    }
    deliveries.close();
    deliveries.wait().await;
    let mut progress = lock(&batch.progress);
    progress.elapsed_ms = elapsed_ms(begun);
    progress.done = true;
}

fn elapsed_ms(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Batch {
    async fn deliver(&self, index: usize, fate: Fate) {
        let Some(event) = self.plan.events.get(index) else { return };
        let envelope = self.envelope(event);
        let options = match fate {
            Fate::Dropped => return,
            Fate::Valid | Fate::Duplicate => {
                DeliveryOptions { drop: self.drop, ..DeliveryOptions::default() }
            }
            // One attempt is enough to see that it is refused.
            Fate::Stale => {
                DeliveryOptions { stale_seconds: STALE_SECONDS, attempts: 1, ..DeliveryOptions::default() }
            }
            Fate::BadSignature(signature) => {
                DeliveryOptions { signature, attempts: 1, ..DeliveryOptions::default() }
            }
        };
        let parcel = Parcel { options: Some(options), ..Parcel::of(&envelope, event.dialect) };
        let report = self.shared.courier.deliver(&parcel).await;
        self.book(fate, report);
    }

    /// Takes the event's step in the world, and all steps before it, so that a fetch never sees less than the
    /// webhook announced; answers what to send.
    fn envelope(&self, event: &PlannedEvent) -> Envelope {
        let notice = event.step.and_then(|(session, step)| self.take_until(session, step));
        match notice {
            Some(notice) => {
                let notice = Notice { kind: event.kind.to_owned(), at: event.at, ..notice };
                Envelope::of(&notice, event.event_id.clone())
            }
            None => Envelope {
                event_id: event.event_id.clone(),
                kind: event.kind.to_owned(),
                created_at: event.at,
                data: Object::new(),
                extra: Object::new(),
            },
        }
    }

    fn take_until(&self, session: usize, step: usize) -> Option<Notice> {
        let planned = self.plan.sessions.get(session)?;
        let mut taken = lock(&self.taken);
        let taken = taken.get_mut(session)?;
        let mut world = lock(&self.shared.world);
        for (scenario, at) in planned.steps.iter().take(step + 1).skip(taken.len()) {
            // The receiver may have changed the session meanwhile; then the step's webhook still goes out.
            let notices = world.play(*scenario, &planned.id, &[], *at).unwrap_or_default();
            let last = notices.into_iter().next_back();
            taken.push(last.unwrap_or_else(|| Notice::about("", &planned.id, *at)));
        }
        taken.get(step).cloned()
    }

    fn book(&self, fate: Fate, report: Report) {
        let mut progress = lock(&self.progress);
        if report.outcome == Outcome::Dropped {
            progress.planned -= 1;
            progress.dropped += 1;
            return;
        }
        progress.sent += 1;
        let refused = report.attempts.last().is_some_and(|attempt| attempt.status == Some(400));
        let skipped = report.attempts.iter().any(|attempt| attempt.skipped);
        let acknowledged = report.outcome == Outcome::Acknowledged;
        match fate {
            Fate::Valid | Fate::Duplicate if acknowledged => {
                progress.acknowledged += 1;
                progress.skipped += usize::from(skipped);
            }
            Fate::Stale | Fate::BadSignature(_) if refused => progress.rejected += 1,
            Fate::Valid | Fate::Duplicate | Fate::Stale | Fate::BadSignature(_) | Fate::Dropped => {
                progress.surprise(report);
            }
        }
    }
}
