//! What a consumer has handed out and was not given back yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// The deliveries of a consumer that nobody has settled or dropped, over all its sessions. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Hands {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    /// In the order of their delivery.
    held: BTreeMap<u64, Since>,
    redelivered: usize,
}

#[derive(Debug, Clone, Copy)]
struct Since {
    at: Instant,
    redelivered: bool,
}

/// What is in the hands of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// No message.
    Nothing,
    /// Messages, the oldest of which was delivered so long ago.
    For(Duration),
    /// At least one message that somebody had before: when it left the queue first is not known.
    Redelivered,
}

impl Hands {
    /// Notes a delivery, for as long as the answer lives.
    pub(super) fn take(&self, redelivered: bool) -> Hold {
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        inner.held.insert(number, Since { at: Instant::now(), redelivered });
        inner.redelivered += usize::from(redelivered);
        drop(inner);
        Hold { hands: self.clone(), number }
    }

    /// What is held right now.
    #[must_use]
    pub fn held(&self) -> Held {
        let inner = self.lock();
        match inner.held.first_key_value() {
            None => Held::Nothing,
            Some(_) if inner.redelivered > 0 => Held::Redelivered,
            Some((_, since)) => Held::For(since.at.elapsed()),
        }
    }

    /// Every change is complete when the lock is let go, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One delivery in somebody's hands.
#[derive(Debug)]
pub(super) struct Hold {
    hands: Hands,
    number: u64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut inner = self.hands.lock();
        if inner.held.remove(&self.number).is_some_and(|since| since.redelivered) {
            inner.redelivered -= 1;
        }
    }
}
