//! What a worker holds and waits for, so that one that is stuck can be told from one that has nothing to do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The progress of one [`Processor`](super::Processor). Clones belong together.
///
/// Every await on an outside system that ends is progress, with an error too: a store that refuses is away, and known
/// to be; so is a pause of the breaker. What is left is an await that does not end in spite of all deadlines.
#[derive(Debug, Clone)]
pub struct Progress {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    held: usize,
    moved_at: Instant,
    waits: BTreeMap<u64, (String, Instant)>,
    next_wait: u64,
}

/// A worker holds messages and does nothing about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// How many messages it holds.
    pub held: usize,
    /// Since when nothing has moved.
    pub idle: Duration,
    /// What it waits for, and how long each, oldest first; at most five.
    pub waits: Vec<(String, Duration)>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing moved for {} s, with {} messages in hand", self.idle.as_secs(), self.held)?;
        let mut before = "; waiting for ";
        for (what, since) in &self.waits {
            write!(f, "{before}{what} ({} s)", since.as_secs())?;
            before = ", ";
        }
        Ok(())
    }
}

impl std::error::Error for Stuck {}

impl Progress {
    pub(super) fn new() -> Self {
        let inner = Inner { held: 0, moved_at: Instant::now(), waits: BTreeMap::new(), next_wait: 0 };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Whether, at `now`, messages are held and nothing has moved for `limit` or longer.
    #[must_use]
    pub fn stuck(&self, now: Instant, limit: Duration) -> Option<Stuck> {
        let inner = self.inner();
        let idle = now.saturating_duration_since(inner.moved_at);
        if inner.held == 0 || idle < limit {
            return None;
        }
        let wait = |(what, since): &(String, Instant)| (what.clone(), now.saturating_duration_since(*since));
        Some(Stuck { held: inner.held, idle, waits: inner.waits.values().take(5).map(wait).collect() })
    }

    /// So many messages came.
    pub(super) fn took(&self, messages: usize) {
        let mut inner = self.inner();
        inner.held += messages;
        inner.moved_at = Instant::now();
    }

    /// So many messages are settled.
    pub(super) fn settled(&self, messages: usize) {
        let mut inner = self.inner();
        inner.held = inner.held.saturating_sub(messages);
        inner.moved_at = Instant::now();
    }

    /// There is a known reason to wait.
    pub(crate) fn excused(&self) {
        self.inner().moved_at = Instant::now();
    }

    /// Notes that something is awaited, until the guard is dropped.
    pub(super) fn waiting(&self, what: String) -> Waiting {
        let mut inner = self.inner();
        let number = inner.next_wait;
        inner.next_wait += 1;
        inner.waits.insert(number, (what, Instant::now()));
        Waiting { progress: self.clone(), number }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something is awaited.
#[must_use = "dropping it says that the waiting is over"]
pub(super) struct Waiting {
    progress: Progress,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut inner = self.progress.inner();
        inner.waits.remove(&self.number);
        inner.moved_at = Instant::now();
    }
}

#[cfg(test)]
mod tests;
