//! Why a call failed.

use crate::{MAX_EVENTS_PER_CALL, Refusal};
use domain::{FailureClass, ResourceKind};
use reqwest::header::InvalidHeaderValue;
use std::time::Duration;

/// Why a client could not be built, or a call failed. No variant holds a key, a header or a URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configured base URL is not one.
    #[error("the base URL of the API {reason}")]
    BaseUrl {
        /// What is wrong. The URL itself is not repeated, it may hold a password.
        reason: &'static str,
    },
    /// A configured value has characters that no header may have.
    #[error("the configured value of the {name} header has forbidden characters")]
    Header {
        /// The header's name.
        name: &'static str,
        /// What the HTTP library says; it does not repeat the value.
        #[source]
        source: InvalidHeaderValue,
    },
    /// The key is empty.
    #[error("the key of the API is empty")]
    EmptyKey,
    /// The HTTP library could not set itself up, or could not make a request of our values.
    #[error("could not set up the HTTP client or its request")]
    Build {
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// An id that cannot be one, so nothing was sent.
    #[error("the {kind} id {reason}")]
    InvalidId {
        /// The kind of resource that the id was to name.
        kind: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The API has no such call, so nothing was sent.
    #[error("the API does not give out the resource type {kind}")]
    NotOffered {
        /// The kind that was asked for.
        kind: ResourceKind,
    },
    /// The path needs to know what the resource belongs to, so nothing was sent.
    #[error("a {kind} can only be fetched with the id of its {parent}, and that is not known")]
    NoParent {
        /// The kind that was asked for.
        kind: ResourceKind,
        /// What it belongs to.
        parent: ResourceKind,
    },
    /// A call with no event or too many of them; nothing was sent.
    #[error("a call carries 1 to {MAX_EVENTS_PER_CALL} events, not {count}")]
    EventCount {
        /// How many there were.
        count: usize,
    },
    /// The API answered, but not with success.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The request was sent and no complete answer came in time.
    #[error("{operation} had no complete answer in time")]
    Timeout {
        /// The call.
        operation: &'static str,
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// There was no connection, so the request was not sent.
    #[error("{operation} found no connection to the API")]
    Connect {
        /// The call.
        operation: &'static str,
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// The connection broke after the request may have been sent.
    #[error("{operation} lost its connection before the answer")]
    Interrupted {
        /// The call.
        operation: &'static str,
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// The API answered with success and a body we cannot use.
    #[error("the answer to {operation} {defect}")]
    Body {
        /// The call.
        operation: &'static str,
        /// What is wrong with the body.
        defect: Defect,
        /// The `request-id` of the answer.
        request_id: Option<String>,
        /// What the HTTP library says, where the body did not arrive whole.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The answer is larger than [`Config::max_body_bytes`](crate::Config::max_body_bytes).
    #[error("the answer to {operation} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The call.
        operation: &'static str,
        /// The limit, in bytes.
        limit_bytes: usize,
        /// The `request-id` of the answer.
        request_id: Option<String>,
    },
}

/// What is wrong with the body of a successful answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The body ends too early.
    #[error("is cut off")]
    Truncated,
    /// The body is something else, often the HTML page of a proxy.
    #[error("is not JSON but {}", .content_type.as_deref().unwrap_or("of no declared type"))]
    NotJson {
        /// The `content-type` of the answer.
        content_type: Option<String>,
    },
    /// JSON, but not an object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A member that we need is missing or of another type.
    #[error("has no member {member:?} that is {expected}")]
    Member {
        /// The member's name.
        member: &'static str,
        /// What it should have been.
        expected: &'static str,
    },
    /// A list names as its next page the page we just read.
    #[error("has the cursor of its own page as the next one")]
    RepeatedCursor,
}

impl Error {
    /// Sorts an error of the HTTP library by what we know about the request: not built, not sent, or unanswered.
    pub(crate) fn transport(operation: &'static str, source: reqwest::Error) -> Self {
        // The URL would put resource ids and cursors into every log line of the chain.
        let source = source.without_url();
        if source.is_builder() {
            Self::Build { source }
        } else if source.is_connect() {
            // Asked before the timeout: a connection that took too long has sent nothing either.
            Self::Connect { operation, source }
        } else if source.is_timeout() {
            Self::Timeout { operation, source }
        } else {
            Self::Interrupted { operation, source }
        }
    }

    /// What the failure means for the event on whose behalf the call was made.
    ///
    /// A broken body counts as transient, because it usually comes from something between us and the platform that
    /// heals. An answer that is too large stays too large until a person raises the limit.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Refused(refusal) => refusal.class(),
            Self::Timeout { .. } | Self::Connect { .. } | Self::Interrupted { .. } | Self::Body { .. } => {
                FailureClass::Transient
            }
            Self::BaseUrl { .. } | Self::Header { .. } | Self::EmptyKey | Self::Build { .. } => {
                FailureClass::Configuration
            }
            Self::InvalidId { .. }
            | Self::NoParent { .. }
            | Self::NotOffered { .. }
            | Self::TooLarge { .. } => FailureClass::Permanent,
            Self::EventCount { .. } => FailureClass::Bug,
        }
    }

    /// The platform's name for the exchange, to quote to its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.request_id.as_deref(),
            Self::Body { request_id, .. } | Self::TooLarge { request_id, .. } => request_id.as_deref(),
            Self::BaseUrl { .. }
            | Self::Header { .. }
            | Self::EmptyKey
            | Self::Build { .. }
            | Self::InvalidId { .. }
            | Self::NotOffered { .. }
            | Self::NoParent { .. }
            | Self::EventCount { .. }
            | Self::Timeout { .. }
            | Self::Connect { .. }
            | Self::Interrupted { .. } => None,
        }
    }

    /// How long the platform asks us to wait, whether or not we already did; at most one day.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused(refusal) = self { refusal.retry_after } else { None }
    }

    /// Whether a call that changes something may have been carried out although it failed. Look before doing it
    /// again.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.status == 408 || refusal.status >= 500,
            Self::Timeout { .. } | Self::Interrupted { .. } | Self::Body { .. } | Self::TooLarge { .. } => {
                true
            }
            Self::BaseUrl { .. }
            | Self::Header { .. }
            | Self::EmptyKey
            | Self::Build { .. }
            | Self::InvalidId { .. }
            | Self::NotOffered { .. }
            | Self::NoParent { .. }
            | Self::EventCount { .. }
            | Self::Connect { .. } => false,
        }
    }
}
