//! Messages of several events among the dead letters.
//!
//! One of the events may have ended the workers, or somebody moved the message; the others did nothing. So none of them
//! is marked dead: each that is still in the try of its message gets a message of its own, and one that ends workers again
//! reaches the delivery limit alone.

use super::settle::unreadable;
use crate::message::{event_in, event_of};
use broker::{DeadLetter, Message};
use domain::{Clock, Event, EventKey, EventStatus};
use store::{Intention, NewEvent, Store};

/// One of the events.
struct Part<'a> {
    key: EventKey,
    event: Event,
    message: &'a Message,
}

/// Gives the events of all such messages in a batch their own. What Postgres does not know is stored, what cannot be read
/// moves to the quarantine: then the messages may go. Returns how many parts could not be read.
///
/// # Errors
/// When Postgres is away or refuses.
pub(super) async fn take_apart(
    store: &Store,
    clock: &dyn Clock,
    batch: &[DeadLetter],
) -> Result<u32, store::Error> {
    if batch.iter().all(|letter| letter.bundled.is_empty()) {
        return Ok(0);
    }
    let mut tx = store.begin("take messages apart").await?;
    let mut parts = Vec::new();
    let mut foreign = 0;
    for message in batch.iter().flat_map(|letter| &letter.bundled) {
        match event_in(message) {
            Ok((key, event)) => parts.push(Part { key, event, message }),
            Err(problem) => {
                // Without a bound: it leaves the broker with this.
                store::quarantine(&mut tx, &unreadable(&message.payload, &problem, clock), None).await?;
                foreign += 1;
            }
        }
    }
    let keys: Vec<EventKey> = parts.iter().map(|part| part.key.clone()).collect();
    let mut standings = store::lock_events(&mut tx, &keys).await?;
    let unknown: Vec<NewEvent> = parts
        .iter()
        .filter(|part| !standings.contains_key(&part.key))
        .map(|part| event_of(part.message, part.key.endpoint.clone(), part.event.clone()))
        .collect();
    if !unknown.is_empty() {
        store::accept_batch(&mut tx, &unknown, None).await?;
        standings = store::lock_events(&mut tx, &keys).await?;
    }
    let waiting = |part: &Part<'_>| {
        let standing = standings.get(&part.key)?;
        let of_message = (part.message.generation, part.message.tries);
        // An event that has moved on has, or had, another message.
        let is_current = (standing.generation, standing.tries) == of_message;
        (is_current && standing.status == EventStatus::Pending).then(|| Intention {
            event: standing.event,
            queue: standing.queue,
            generation: standing.generation,
            tries: standing.tries,
            due_at: clock.now(),
        })
    };
    let waiting: Vec<Intention> = parts.iter().filter_map(waiting).collect();
    let scheduled = store::schedule_missing(&mut tx, &waiting).await?;
    tx.commit().await?;
    tracing::warn!(scheduled, "message of several events found among the dead letters; each gets its own");
    Ok(foreign)
}
