//! Why a call failed.

use crate::MAX_ANSWER_BYTES;
use std::time::Duration;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP library could not set itself up, or could not make a request of our values.
    #[error("could not set up the HTTP client or its request")]
    Build {
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// There was no connection, so nothing was sent.
    #[error("there is no connection to the endpoint")]
    Connect {
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// There was no complete answer in time.
    #[error("the endpoint gave no complete answer within {limit:?}")]
    Timeout {
        /// How long it was given.
        limit: Duration,
    },
    /// The connection broke after the request may have been sent.
    #[error("the connection broke before the answer was complete")]
    Interrupted {
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// The endpoint answered, but not with success. A redirect is such an answer: it is not followed.
    #[error("the endpoint answered {status}{}", .text.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// The beginning of what it said.
        text: Option<String>,
    },
    /// The answer is longer than [`MAX_ANSWER_BYTES`].
    #[error("the endpoint's answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

impl Error {
    /// Sorts an error of the HTTP library by what is known about the request.
    pub(crate) fn transport(source: reqwest::Error, limit: Duration) -> Self {
        let source = source.without_url();
        if source.is_builder() {
            Self::Build { source }
        } else if source.is_connect() {
            // Asked before the timeout: a connection that took too long has sent nothing either.
            Self::Connect { source }
        } else if source.is_timeout() {
            Self::Timeout { limit }
        } else {
            Self::Interrupted { source }
        }
    }

    /// Whether the endpoint certainly has not seen the request.
    #[must_use]
    pub const fn was_not_sent(&self) -> bool {
        matches!(self, Self::Build { .. } | Self::Connect { .. })
    }

    /// How long the endpoint asks us to wait before the next call.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused { retry_after, .. } = self { *retry_after } else { None }
    }

    /// One word for the metric.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Build { .. } | Self::Connect { .. } => "unreachable",
            Self::Timeout { .. } => "timeout",
            Self::Interrupted { .. } => "interrupted",
            Self::Refused { .. } => "refused",
            Self::TooLarge => "unreadable",
        }
    }
}
