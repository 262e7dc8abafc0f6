//! An answer of the API that is not success.

#[cfg(test)]
mod tests;

use crate::Key;
use crate::retry::Hints;
use domain::FailureClass;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// Longest text of the server that enters an error, in characters.
const TEXT_LIMIT: usize = 300;

/// What the API said instead of the answer. Decisions rest on the status; the texts are for people, and may be absent
/// because errors of the platform's edge and of proxies do not have its JSON form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The call that was refused.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// `error.type`, such as `rate_limit_error`.
    pub kind: Option<String>,
    /// `error.details.error_code`, such as `environment_archived`.
    pub code: Option<String>,
    /// `error.message`, at most 300 characters of it.
    pub message: Option<String>,
    /// The `request-id` header, or `request_id` of the body.
    pub request_id: Option<String>,
    /// How long the platform asks us to wait; at most one day.
    pub retry_after: Option<Duration>,
    /// The platform's own word on whether the same call may be tried again (`x-should-retry`).
    pub should_retry: Option<bool>,
}

impl Refusal {
    pub(crate) fn read(
        operation: &'static str,
        status: u16,
        request_id: Option<String>,
        hints: Hints,
        body: &[u8],
        key: &Key,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text =
            |pointer| body.pointer(pointer).and_then(Value::as_str).map(|text| shorten(&key.scrub(text)));
        Self {
            operation,
            status,
            kind: text("/error/type"),
            code: text("/error/details/error_code"),
            message: text("/error/message"),
            request_id: request_id.or_else(|| text("/request_id")),
            retry_after: hints.retry_after,
            should_retry: hints.should_retry,
        }
    }

    /// What the refusal means for the event on whose behalf the call was made.
    ///
    /// Every redirect is a wrong base URL. Of the 4xx, only those are transient that the official clients retry: a 400
    /// to a question about a resource we were told of will be a 400 tomorrow.
    #[must_use]
    pub const fn class(&self) -> FailureClass {
        match self.status {
            429 => FailureClass::Throttled,
            300..=399 | 401..=403 => FailureClass::Configuration,
            404 | 410 => FailureClass::Gone,
            408 | 409 | 500.. => FailureClass::Transient,
            _ => FailureClass::Permanent,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was answered {}", self.operation, self.status)?;
        if let Some(kind) = &self.kind {
            write!(f, " {kind}")?;
        }
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// At most [`TEXT_LIMIT`] characters on one line, so that nobody's text can forge a log line.
pub(crate) fn shorten(text: &str) -> String {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().map(one_line).take(TEXT_LIMIT).collect();
    if text.chars().nth(TEXT_LIMIT).is_some() {
        short.push('…');
    }
    short
}
