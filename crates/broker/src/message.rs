//! A message, and how it looks on the wire.
//!
//! The body is the payload as it was received, byte for byte. Everything else travels in properties and headers, so
//! that a person with nothing but the broker's management page can tell what a message is:
//!
//! | Where | What |
//! | --- | --- |
//! | `message_id`, `content_type` | event id and content type, where they fit the 255 bytes of a property |
//! | `holdfast-event-id`, `holdfast-content-type` | the same, where they do not |
//! | `holdfast-version` | 1; a message of another version is not ours to read |
//! | `holdfast-endpoint` | the endpoint that received the event |
//! | `holdfast-received-at` | RFC 3339 in UTC with microseconds |
//! | `holdfast-generation`, `holdfast-tries` | how often the event was replayed, and tries used in this generation |
//! | `holdfast-failure-class`, `holdfast-failure-reason` | on dead letters: why |
//! | `traceparent` | W3C trace context |
//!
//! Under load several events travel as one message, see the module `bundle`: version 2, `holdfast-events` of them.
//!
//! A [`Marker`] is no event: it has no body, no version, and only `holdfast-marker` and `holdfast-marker-placed-at`.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::FailureClass;

mod bundle;
mod decode;
mod encode;
mod hints;
mod marker;
#[cfg(test)]
mod tests;

pub(crate) use bundle::{encode as encode_bundle, runs};
#[cfg(test)]
pub(crate) use decode::decode;
pub(crate) use decode::{decode_all, text};
pub use encode::Unencodable;
pub(crate) use encode::encode;
pub use hints::{Death, Hints};
pub use marker::Marker;

mod name {
    //! Header names.
    pub(super) const VERSION: &str = "holdfast-version";
    pub(super) const EVENT_ID: &str = "holdfast-event-id";
    pub(super) const CONTENT_TYPE: &str = "holdfast-content-type";
    pub(super) const ENDPOINT: &str = "holdfast-endpoint";
    pub(super) const RECEIVED_AT: &str = "holdfast-received-at";
    pub(super) const GENERATION: &str = "holdfast-generation";
    pub(super) const TRIES: &str = "holdfast-tries";
    pub(super) const FAILURE_CLASS: &str = "holdfast-failure-class";
    pub(super) const FAILURE_REASON: &str = "holdfast-failure-reason";
    pub(super) const EVENTS: &str = "holdfast-events";
    pub(super) const TRACEPARENT: &str = "traceparent";
    pub(super) const MARKER: &str = "holdfast-marker";
    pub(super) const MARKER_PLACED_AT: &str = "holdfast-marker-placed-at";
}

/// The layout that [`Message`] has on the wire. A change that old readers would misread raises it.
const VERSION: i64 = 1;

/// One event on its way. Enough to rebuild the event's row when Postgres was away as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender's id of the event.
    pub event_id: String,
    /// The endpoint that received it.
    pub endpoint: String,
    /// The request's body, unchanged.
    pub payload: Bytes,
    /// The request's content type, where it had one.
    pub content_type: Option<String>,
    /// When we received it; microseconds survive the way, nanoseconds do not.
    pub received_at: DateTime<Utc>,
    /// How often the event was replayed.
    pub generation: u32,
    /// How many tries this generation has used.
    pub tries: u32,
    /// W3C trace context of whoever published.
    pub traceparent: Option<String>,
    /// Why the event is dead; only on messages to [`Queue::Dead`](crate::Queue::Dead).
    pub failure: Option<Failure>,
}

/// Why an event is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of its last failure.
    pub class: FailureClass,
    /// The last failure in words. On the wire cut to 2,048 bytes.
    pub reason: String,
}

/// The message is none of ours, or was damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed message: {why}")]
pub struct Malformed {
    /// What is missing or unreadable.
    pub why: String,
}
