//! Who waits for whom: events of one resource are handled together, and never by two groups at a time.

use super::job::Job;
use domain::{EventKey, ResourceKind};
use std::collections::{HashMap, HashSet, VecDeque};

/// What a group has in common: its resource, or, for an event without one, the event alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Resource(ResourceKind, String),
    Event(EventKey),
}

impl Key {
    pub(crate) fn of(job: &Job) -> Self {
        match job.resource() {
            Some(resource) => Self::Resource(resource.kind, resource.id.clone()),
            None => Self::Event(job.key.clone()),
        }
    }
}

/// Events of one resource that are handled together.
#[derive(Debug)]
pub(crate) struct Group<T = Job> {
    pub(crate) key: Key,
    pub(crate) jobs: Vec<T>,
}

/// The queue of groups.
#[derive(Debug)]
pub(crate) struct Groups<T = Job> {
    concurrency: usize,
    waiting: HashMap<Key, Vec<T>>,
    order: VecDeque<Key>,
    running: HashSet<Key>,
}

impl Groups<Job> {
    /// Puts an event to the others of its resource.
    pub(crate) fn add(&mut self, job: Job) {
        self.put(Key::of(&job), job);
    }
}

impl<T> Groups<T> {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            concurrency: concurrency.max(1),
            waiting: HashMap::new(),
            order: VecDeque::new(),
            running: HashSet::new(),
        }
    }

    fn put(&mut self, key: Key, job: T) {
        let jobs = self.waiting.entry(key.clone()).or_default();
        // A resource in work comes into line when its group is finished.
        if jobs.is_empty() && !self.running.contains(&key) {
            self.order.push_back(key);
        }
        jobs.push(job);
    }

    /// The next group, if one may start now: first come, first served.
    pub(crate) fn start_next(&mut self) -> Option<Group<T>> {
        if self.running.len() >= self.concurrency {
            return None;
        }
        let key = self.order.pop_front()?;
        let jobs = self.waiting.remove(&key)?;
        self.running.insert(key.clone());
        Some(Group { key, jobs })
    }

    /// A group is finished; what has gathered for its resource meanwhile comes into line.
    pub(crate) fn finish(&mut self, key: &Key) {
        self.running.remove(key);
        if self.waiting.contains_key(key) {
            self.order.push_back(key.clone());
        }
    }

    /// Whether a group was started and is not finished.
    pub(crate) fn is_working(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether nothing waits and nothing runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }
}

#[cfg(test)]
mod tests;
