//! The settle pass: the broker's copies are made to agree with Postgres.
//!
//! A copy whose event is dead in the same generation stays. One whose generation is over (replayed, discarded) goes, and
//! so does a second copy. A copy that Postgres does not know as dead was dead-lettered by the broker itself, because it
//! was delivered too often: its event is marked dead, so that people see it. A dead event whose copy the broker has lost
//! gets a new one. A message of several events is taken apart. What no worker can read moves to the quarantine, where people
//! find it.

use super::bundled;
use broker::{Broker, DeadLetter, Inspector, Verdict};
use chrono::{DateTime, Utc};
use domain::{Clock, EndpointName, EventKey, EventStatus, FailureClass};
use failpoints::failpoint;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use store::{EventStanding, Failure, Intention, NewEvent, Quarantined, Store, Tx};

use crate::message::{event_in, event_of, key_of};

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// Copies looked at.
    pub seen: u32,
    /// Copies that agree and stay.
    pub kept: u32,
    /// Copies that were over, or of several events that have messages of their own now, and are gone.
    pub removed: u32,
    /// Events that the broker had dead-lettered and that are marked dead now.
    pub adopted: u32,
    /// Dead events that had no copy and get one.
    pub restored: u32,
    /// Messages that are none of ours; they are in quarantine now.
    pub foreign: u32,
}

/// The pass could not be finished; nothing is lost, and the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// RabbitMQ is away.
    #[error("the dead letters cannot be reached")]
    Broker(#[from] broker::Error),
    /// Postgres is away or refuses.
    #[error("the dead letters cannot be looked up")]
    Store(#[from] store::Error),
}

/// Copies held at the same time.
pub(super) const PREFETCH: u16 = 200;

/// Dead events compared at the same time.
pub(super) const RESTORE_CHUNK: i64 = 2_000;

/// How long one transaction of a pass may take before its connection is taken for dead.
pub(super) const LIMIT: Duration = Duration::from_secs(35);

/// Waits until nobody else settles, then makes one pass over the dead letters that are there.
///
/// # Errors
/// When either store is away.
pub async fn settle(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    worker: &str,
) -> Result<Settled, SettleError> {
    // The lock is held by a transaction that does nothing else, and goes with it however this ends.
    let mut election = store.begin("wait for the settler").await?;
    store::lock_settling(&mut election).await?;
    let settled = pass(store, broker, clock, worker).await?;
    end(store, election, clock).await?;
    Ok(settled)
}

/// Records that a pass came to its end, and lets the next one make one.
pub(super) async fn end(store: &Store, mut election: Tx, clock: &dyn Clock) -> Result<(), store::Error> {
    let ending = async {
        store::record_settled(&mut election, clock.now()).await?;
        election.commit().await
    };
    store.within(LIMIT, "end the settling", ending).await
}

/// One pass, made by the only one that makes one.
pub(super) async fn pass(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    worker: &str,
) -> Result<Settled, SettleError> {
    let began = clock.now();
    let inspector = Inspector::connect(broker).await?;
    let mut sweep = inspector.sweep_dead(u32::MAX, PREFETCH).await?;
    let mut settled = Settled::default();
    let mut copies_seen = HashSet::new();
    while let Some(batch) = sweep.next_batch().await? {
        let apart = bundled::take_apart(store, clock, &batch);
        settled.foreign += store.within(LIMIT, "settle", apart).await?;
        let judging = judge(store, clock, worker, &batch, &mut copies_seen, &mut settled);
        let verdicts = store.within(LIMIT, "settle", judging).await?;
        failpoint!("settle.judged");
        sweep.settle(batch.into_iter().zip(verdicts)).await?;
    }
    let complete = sweep.saw_everything();
    sweep.finish().await?;
    inspector.close().await;
    // What a broken-off pass has not seen is not lost.
    if complete {
        settled.restored = restore(store, clock, began, &copies_seen).await?;
    }
    Ok(settled)
}

/// Schedules a new copy for each dead event of which the pass has seen none. One that was only out of sight for a
/// moment gets a second copy, which the next pass removes.
async fn restore(
    store: &Store,
    clock: &dyn Clock,
    began: DateTime<Utc>,
    copies_seen: &HashSet<(EventKey, u32)>,
) -> Result<u32, store::Error> {
    let mut restored = 0;
    let mut after = 0;
    loop {
        let chunk = restore_chunk(store, clock, began, after, copies_seen);
        let Some((last, count)) = store.within(LIMIT, "restore dead letters", chunk).await? else {
            return Ok(restored);
        };
        after = last;
        restored += count;
    }
}

/// Looks at the next dead events after number `after`. Returns the number of the last one and how many get a new copy;
/// `None` when there were no more.
async fn restore_chunk(
    store: &Store,
    clock: &dyn Clock,
    began: DateTime<Utc>,
    after: i64,
    copies_seen: &HashSet<(EventKey, u32)>,
) -> Result<Option<(i64, u32)>, store::Error> {
    let mut tx = store.begin("restore dead letters").await?;
    let dead = store::dead_without_intention(&mut tx, began, after, RESTORE_CHUNK).await?;
    let missing: Vec<Intention> = dead
        .iter()
        .filter(|(key, standing)| !copies_seen.contains(&(key.clone(), standing.generation)))
        .map(|(_, standing)| Intention {
            event: standing.event,
            queue: store::Queue::Dead,
            generation: standing.generation,
            tries: standing.tries,
            due_at: clock.now(),
        })
        .collect();
    store::schedule(&mut tx, &missing).await?;
    tx.commit().await?;
    let last = dead.last().map(|(_, standing)| standing.event);
    Ok(last.map(|last| (last, u32::try_from(missing.len()).unwrap_or(u32::MAX))))
}

/// Decides on each copy, and adopts what Postgres did not know, before anything is removed.
async fn judge(
    store: &Store,
    clock: &dyn Clock,
    worker: &str,
    batch: &[DeadLetter],
    copies_seen: &mut HashSet<(EventKey, u32)>,
    settled: &mut Settled,
) -> Result<Vec<Verdict>, SettleError> {
    let keys: Vec<Option<EventKey>> =
        batch.iter().map(|letter| letter.message.as_ref().ok().and_then(key_of)).collect();
    let known: Vec<EventKey> = keys.iter().flatten().cloned().collect();
    let mut tx = store.begin("settle").await?;
    let mut standings = store::standing_of(&mut tx, &known).await?;
    adopt(&mut tx, clock, worker, batch, &mut standings, settled).await?;

    let mut verdicts = Vec::with_capacity(batch.len());
    for (letter, key) in batch.iter().zip(keys) {
        settled.seen += 1;
        // A marker of an audit that was delivered too often: nobody misses it. The events of a bundle were seen to before.
        if letter.is_marker || !letter.bundled.is_empty() {
            settled.removed += 1;
            verdicts.push(Verdict::Remove);
            continue;
        }
        let standing = key.as_ref().and_then(|key| standings.get(key));
        let (Ok(message), Some(standing), Some(key)) = (&letter.message, standing, key) else {
            // Without a bound: it leaves the broker with this.
            store::quarantine(&mut tx, &foreign(letter, clock), None).await?;
            settled.foreign += 1;
            verdicts.push(Verdict::Remove);
            continue;
        };
        let stays = standing.status == EventStatus::Dead && standing.generation == message.generation;
        // Only the first copy of a life stays.
        let stays = stays && copies_seen.insert((key, message.generation));
        let (count, verdict) =
            if stays { (&mut settled.kept, Verdict::Keep) } else { (&mut settled.removed, Verdict::Remove) };
        *count += 1;
        verdicts.push(verdict);
    }
    // Before anything is removed from the broker.
    tx.commit().await?;
    Ok(verdicts)
}

/// A message that is none of ours, for the quarantine.
fn foreign(letter: &DeadLetter, clock: &dyn Clock) -> Quarantined {
    let problem = match &letter.message {
        Err(malformed) => malformed.to_string(),
        Ok(message) => event_in(message).err().unwrap_or_default(),
    };
    unreadable(&letter.payload, &problem, clock)
}

/// A body that is no event, for the quarantine.
pub(super) fn unreadable(body: &[u8], problem: &str, clock: &dyn Clock) -> Quarantined {
    Quarantined {
        endpoint: EndpointName::default_endpoint(),
        received_at: clock.now(),
        body: body.to_vec(),
        content_type: None,
        problem: problem.replace('\0', "\u{fffd}"),
    }
}

/// Marks dead what the broker gave up on: the event is still pending in the very try that its copy carries, and no worker
/// has put the copy here. It was delivered too often or rejected, or somebody moved it; either way it is the only message
/// of its event.
async fn adopt(
    tx: &mut store::Tx,
    clock: &dyn Clock,
    worker: &str,
    batch: &[DeadLetter],
    standings: &mut HashMap<EventKey, EventStanding>,
    settled: &mut Settled,
) -> Result<(), store::Error> {
    let now = clock.now();
    let mut unknown = Vec::new();
    for letter in batch {
        let Ok(message) = &letter.message else { continue };
        // Accepted by the broker alone, and dead before any worker could store it.
        if let Ok((key, event)) = event_in(message)
            && !standings.contains_key(&key)
        {
            unknown.push(event_of(message, key.endpoint, event));
        }
    }
    if !unknown.is_empty() {
        store::accept_batch(tx, &unknown, None).await?;
        let keys: Vec<EventKey> = unknown.iter().map(NewEvent::key).collect();
        standings.extend(store::standing_of(tx, &keys).await?);
    }

    // Another copy of the event may be with a worker right now. Locked rows say how that ended.
    let given_up = |letter: &DeadLetter| {
        let message = letter.message.as_ref().ok()?;
        message.failure.is_none().then(|| key_of(message))?
    };
    let candidates: Vec<EventKey> = batch.iter().filter_map(given_up).collect();
    for (key, locked) in store::lock_events(tx, &candidates).await? {
        standings.insert(key, locked);
    }

    let mut failures = Vec::new();
    for letter in batch {
        let Ok(message) = &letter.message else { continue };
        let Some(standing) = given_up(letter).and_then(|key| standings.get_mut(&key)) else { continue };
        let same_life = (standing.generation, standing.tries) == (message.generation, message.tries);
        if same_life && standing.status == EventStatus::Pending {
            let reason = letter.hints.deaths.first().map_or("moved by hand", |death| death.reason.as_str());
            failures.push(Failure {
                event: standing.event,
                generation: standing.generation,
                tries: standing.tries,
                counts: false,
                dead: true,
                started_at: now,
                class: FailureClass::Bug,
                error: format!(
                    "RabbitMQ gave up on the message ({reason}): workers died with it or could not read it"
                ),
                request_id: None,
            });
            standing.status = EventStatus::Dead;
            settled.adopted += 1;
        }
    }
    if !failures.is_empty() {
        store::record_failures(tx, &failures, worker, now).await?;
        let events: Vec<i64> = failures.iter().map(|failure| failure.event).collect();
        store::unschedule(tx, &events).await?;
    }
    Ok(())
}
