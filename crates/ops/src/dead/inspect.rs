//! Whether Postgres and the broker agree on what is dead, letter by letter.

use super::settle::{LIMIT, PREFETCH, RESTORE_CHUNK, SettleError};
use crate::message::key_of;
use broker::{Broker, DeadLetter, Inspector, Verdict};
use chrono::{DateTime, Utc};
use domain::{Clock, EventKey, EventStatus};
use serde::Serialize;
use std::collections::HashSet;
use store::Store;

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Messages looked at.
    pub seen: u32,
    /// Of these, the one message that a dead event should have.
    pub right: u32,
    /// Messages that are over, or second ones of their event, or of events that are not dead, or of several events.
    pub surplus: u32,
    /// Messages that are none of ours.
    pub foreign: u32,
    /// Dead events that have no message, and none about to be published.
    pub missing: u32,
    /// Whether the queue was seen to its end; otherwise nothing is known to be missing.
    pub complete: bool,
    /// Whether nothing is wrong.
    pub agree: bool,
}

/// Looks at each message of the queue and at each dead event, and changes nothing but the messages' order: each moves to
/// the tail once. Waits until nobody settles.
///
/// # Errors
/// When either store is away.
pub async fn inspect(store: &Store, broker: &Broker, clock: &dyn Clock) -> Result<Inspection, SettleError> {
    let mut election = store.begin("wait for the settler").await?;
    store::lock_settling(&mut election).await?;
    let began = clock.now();
    let inspector = Inspector::connect(broker).await?;
    let mut sweep = inspector.sweep_dead(u32::MAX, PREFETCH).await?;
    let mut found = Inspection::default();
    let mut right = HashSet::new();
    while let Some(batch) = sweep.next_batch().await? {
        look(store, &batch, &mut right, &mut found).await?;
        sweep.settle(batch.into_iter().map(|letter| (letter, Verdict::Keep))).await?;
    }
    found.complete = sweep.saw_everything();
    sweep.finish().await?;
    inspector.close().await;
    if found.complete {
        found.missing = missing(store, began, &right).await?;
    }
    election.commit().await?;
    found.agree = found.complete && found.surplus + found.foreign + found.missing == 0;
    Ok(found)
}

async fn look(
    store: &Store,
    batch: &[DeadLetter],
    right: &mut HashSet<(EventKey, u32)>,
    found: &mut Inspection,
) -> Result<(), store::Error> {
    let keys: Vec<Option<EventKey>> =
        batch.iter().map(|letter| letter.message.as_ref().ok().and_then(key_of)).collect();
    let known: Vec<EventKey> = keys.iter().flatten().cloned().collect();
    let asking = async {
        let mut connection = store.connection().await?;
        store::standing_of(&mut connection, &known).await
    };
    let standings = store.within(LIMIT, "look up dead letters", asking).await?;
    for (letter, key) in batch.iter().zip(keys) {
        found.seen += 1;
        if !letter.bundled.is_empty() {
            found.surplus += 1;
            continue;
        }
        let (Ok(message), Some(key)) = (&letter.message, key) else {
            found.foreign += 1;
            continue;
        };
        let belongs = standings.get(&key).is_some_and(|standing| {
            standing.status == EventStatus::Dead && standing.generation == message.generation
        });
        let counter = if belongs && right.insert((key, message.generation)) {
            &mut found.right
        } else {
            &mut found.surplus
        };
        *counter += 1;
    }
    Ok(())
}

/// How many dead events should have a message and have none.
async fn missing(
    store: &Store,
    began: DateTime<Utc>,
    right: &HashSet<(EventKey, u32)>,
) -> Result<u32, store::Error> {
    let (mut missing, mut after) = (0, 0);
    loop {
        let reading = async {
            // The rows are locked for this moment, so that those which a replay holds are not taken for dead.
            let mut tx = store.begin("compare dead letters").await?;
            let dead = store::dead_without_intention(&mut tx, began, after, RESTORE_CHUNK).await?;
            tx.commit().await?;
            Ok::<_, store::Error>(dead)
        };
        let dead = store.within(LIMIT, "compare dead letters", reading).await?;
        let Some((_, last)) = dead.last() else { return Ok(missing) };
        after = last.event;
        let without =
            dead.into_iter().filter(|(key, standing)| !right.contains(&(key.clone(), standing.generation)));
        missing += u32::try_from(without.count()).unwrap_or(u32::MAX);
    }
}
