//! What is sent: events of many types, of which it is known what they call for.

use crate::pace::Dice;
use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::Value;
use testkit::clock::real_now;
use testkit::payload;

/// What an event happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Session,
    Message,
    /// Something of which nobody told us: such events are stored and ignored.
    Unknown,
}

/// What an event calls for, beside its place in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calls {
    Nothing,
    Alert,
    Archive,
}

/// A type of event, and how often it comes, in parts of all.
#[derive(Debug)]
struct Kind {
    event_type: &'static str,
    share: usize,
    about: About,
    calls: Calls,
}

const KINDS: [Kind; 9] = [
    kind("session.status_run_started", 30, About::Session, Calls::Nothing),
    kind("session.status_idled", 30, About::Session, Calls::Nothing),
    kind("session.updated", 12, About::Session, Calls::Nothing),
    kind("session.budget_reached", 6, About::Session, Calls::Alert),
    kind("session.status_error", 6, About::Session, Calls::Alert),
    kind("session.archived", 2, About::Session, Calls::Archive),
    kind("content_moderation.denied", 5, About::Message, Calls::Alert),
    kind("message.created", 5, About::Message, Calls::Nothing),
    kind("weather.changed", 4, About::Unknown, Calls::Nothing),
];

const fn kind(event_type: &'static str, share: usize, about: About, calls: Calls) -> Kind {
    Kind { event_type, share, about, calls }
}

/// Messages that classic events are about, for each session.
const MESSAGES_PER_SESSION: usize = 2;

/// How old an event is at most when it is sent, in milliseconds: their order is not that of their delivery.
const AGE_MS: u64 = 20_000;

/// One event that the sender has made.
#[derive(Debug, Clone)]
pub(crate) struct SentEvent {
    pub(crate) id: String,
    pub(crate) about: About,
    pub(crate) calls: Calls,
    /// What it happened to.
    pub(crate) resource: String,
    pub(crate) body: Bytes,
}

impl SentEvent {
    /// An event that calls for nothing but another look at the session.
    pub(crate) fn about_session(id: &str, session: &str) -> Self {
        let body = payload::platform(id, "session.updated", session, real_now());
        Self::new(id, About::Session, Calls::Nothing, session, &body)
    }

    fn new(id: &str, about: About, calls: Calls, resource: &str, body: &Value) -> Self {
        let (id, resource) = (id.to_owned(), resource.to_owned());
        Self { id, about, calls, resource, body: Bytes::from(body.to_string()) }
    }
}

/// Makes events, each with its own number.
#[derive(Debug)]
pub(super) struct Source<'a> {
    sessions: &'a [String],
    number: u32,
}

impl<'a> Source<'a> {
    pub(super) const fn new(sessions: &'a [String]) -> Self {
        Self { sessions, number: 0 }
    }

    pub(super) fn next(&mut self, dice: &mut Dice) -> SentEvent {
        self.number += 1;
        let id = format!("whe_chaos{:08}", self.number);
        let mut draw = dice.below(KINDS.iter().map(|kind| kind.share).sum());
        let drawn = KINDS.iter().find(|kind| match draw.checked_sub(kind.share) {
            Some(rest) => {
                draw = rest;
                false
            }
            None => true,
        });
        let Kind { event_type, about, calls, .. } = drawn.unwrap_or(const { &KINDS[0] });
        let age = TimeDelta::from_std(dice.between(0, AGE_MS)).unwrap_or_default();
        let at = real_now() - age;
        let session = dice.below(self.sessions.len());
        let (resource, body) = match about {
            About::Session => {
                let session = self.sessions.get(session).map_or("sesn_none", String::as_str);
                (session.to_owned(), payload::platform(&id, event_type, session, at))
            }
            About::Message => {
                let message =
                    format!("msg_{}", session * MESSAGES_PER_SESSION + dice.below(MESSAGES_PER_SESSION));
                let body = match calls {
                    Calls::Alert => payload::moderation_denied(&id, &message, at),
                    Calls::Nothing | Calls::Archive => payload::message_created(&id, &message, at),
                };
                (message, body)
            }
            About::Unknown => {
                let place = format!("place_{session}");
                let body = payload::platform(&id, event_type, &place, at);
                (place, body)
            }
        };
        SentEvent::new(&id, *about, *calls, &resource, &body)
    }
}
