//! One message in the hands of a worker.

use broker::{Acker, Message};
use chrono::{DateTime, Utc};
use domain::rules::fallback_rule;
use domain::{Event, EventKey, ResourceRef, Rule, rule_for};
use futures_util::future::join_all;
use tracing::Span;

/// An event with the message that brought it.
#[derive(Debug)]
pub(crate) struct Job {
    /// Which event.
    pub(crate) key: EventKey,
    /// What its envelope says.
    pub(crate) event: Event,
    /// The message; its generation and tries say for which try it was published.
    pub(crate) message: Message,
    /// Settles the message.
    pub(crate) acker: Acker,
    /// Whether the broker gave the message to somebody before.
    pub(crate) redelivered: bool,
    /// When the try began.
    pub(crate) started_at: DateTime<Utc>,
    /// The part of the event's trace that happens here.
    pub(crate) span: Span,
}

impl Job {
    /// The rule of the event's type; `None` when it is unknown and nothing can be looked at for it.
    pub(crate) fn rule(&self) -> Option<Rule> {
        let resource = self.event.resource.as_ref()?;
        // A thread's event that does not name its thread is an event of the session.
        match rule_for(self.event.event_type.as_str()) {
            Some(rule) if rule.resource == resource.kind => Some(*rule),
            Some(_) | None => fallback_rule(resource.kind),
        }
    }

    /// Whether the event may well be over by now. A message of a first life that nobody had before is for an event that
    /// nobody has worked on, but for one that was published twice, which the write finds out.
    pub(crate) fn may_be_over(&self) -> bool {
        self.redelivered || self.message.generation > 1 || self.message.tries > 0
    }

    pub(crate) fn resource(&self) -> Option<&ResourceRef> {
        self.event.resource.as_ref()
    }
}

/// Acknowledges messages, all at the same time. When the session is over, the broker delivers them again, and intake
/// sees that they are over.
pub(super) async fn acknowledge(ackers: Vec<Acker>) {
    let _sessions_are_over = join_all(ackers.into_iter().map(Acker::ack)).await;
}
