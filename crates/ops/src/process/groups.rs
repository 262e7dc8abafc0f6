//! Who waits for whom: events of one resource are handled together, and never by two groups at a time.

use super::job::Job;
use chrono::{DateTime, Utc};
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

/// How many groups run at the same time at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Those that have not [made room](Groups::make_room): they do what is to be limited.
    pub(crate) busy: usize,
    /// All.
    pub(crate) all: usize,
}

/// The queue of groups.
#[derive(Debug)]
pub(crate) struct Groups<T = Job> {
    limits: Limits,
    waiting: HashMap<Key, Vec<T>>,
    order: VecDeque<Key>,
    running: HashSet<Key>,
    /// How many of those that run have not made room.
    busy: usize,
}

impl Groups<Job> {
    /// Puts an event to the others of its resource.
    pub(crate) fn add(&mut self, job: Job) {
        self.put(Key::of(&job), job);
    }

    /// When the first of the events in line was taken in.
    pub(crate) fn waiting_since(&self) -> Option<DateTime<Utc>> {
        let in_line = self.order.iter().filter_map(|key| self.waiting.get(key)).flatten();
        in_line.map(|job| job.started_at).min()
    }
}

impl<T> Groups<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits: Limits { busy: limits.busy.max(1), all: limits.all.max(1) },
            waiting: HashMap::new(),
            order: VecDeque::new(),
            running: HashSet::new(),
            busy: 0,
        }
    }

    /// Puts work to the rest of its group.
    pub(crate) fn put(&mut self, key: Key, job: T) {
        let jobs = self.waiting.entry(key.clone()).or_default();
        // A resource in work comes into line when its group is finished.
        if jobs.is_empty() && !self.running.contains(&key) {
            self.order.push_back(key);
        }
        jobs.push(job);
    }

    /// Whether a group is in line, although perhaps not before another one is finished.
    pub(crate) fn is_anybody_in_line(&self) -> bool {
        !self.order.is_empty()
    }

    /// Whether a group may start now.
    pub(crate) fn may_start(&self) -> bool {
        let Limits { busy, all } = self.limits;
        self.is_anybody_in_line() && self.busy < busy && self.running.len() < all
    }

    /// The next group, if one may start now: first come, first served.
    pub(crate) fn start_next(&mut self) -> Option<Group<T>> {
        if !self.may_start() {
            return None;
        }
        let group = self.take_next()?;
        self.busy += 1;
        Some(group)
    }

    /// A group that was started is done with what is limited, although it is not finished: the next one may start.
    pub(crate) fn make_room(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// The next group, however many run. For groups of which nothing will be fetched.
    pub(crate) fn take_next(&mut self) -> Option<Group<T>> {
        let key = self.order.pop_front()?;
        let jobs = self.waiting.remove(&key)?;
        self.running.insert(key.clone());
        Some(Group { key, jobs })
    }

    /// A group that was started and not begun goes back into the line.
    pub(crate) fn put_back(&mut self, group: Group<T>) {
        let Group { key, mut jobs } = group;
        jobs.append(&mut self.waiting.remove(&key).unwrap_or_default());
        self.waiting.insert(key.clone(), jobs);
        self.finish(&key);
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
