//! A try that failed.

use chrono::TimeDelta;
use claude::{Defect, Error};
use domain::FailureClass;
use domain::breaker::Cause;
use telemetry::Chain;

/// Why a try failed, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTry {
    /// The class, which decides what follows.
    pub class: FailureClass,
    /// The whole chain of causes, for people.
    pub error: String,
    /// The API's id of the request that failed.
    pub request_id: Option<String>,
    /// How long the API asked us to wait.
    pub retry_after: Option<TimeDelta>,
    /// Whose fault it is.
    pub blame: Blame,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The event's, its resource's or ours: the class says whether a try is used up.
    Event,
    /// The resource's: the API answered, with an object that we cannot make sense of.
    Resource,
    /// The API's, which is away: no try is used up.
    Outage,
    /// Nobody's: it was not begun, and was held so long that it is better kept in the outbox.
    NotBegun,
}

/// Causes are kept up to this length, in characters.
const LONGEST_ERROR: usize = 2_000;

impl FailedTry {
    /// A failure of ours, told in words.
    pub(crate) fn new(class: FailureClass, error: &str) -> Self {
        Self { class, error: storable(error), request_id: None, retry_after: None, blame: Blame::Event }
    }

    /// An event that is let go, unbegun, during a pause.
    pub(crate) fn not_begun(cause: Cause) -> Self {
        let (class, why) = match cause {
            Cause::Away => (FailureClass::Transient, "the Claude API is away"),
            Cause::Failing => (FailureClass::Transient, "most calls of the Claude API fail"),
            Cause::Throttled => (FailureClass::Throttled, "the Claude API asks us to slow down"),
            Cause::Configuration => (FailureClass::Configuration, "the Claude API refuses us"),
        };
        Self { blame: Blame::NotBegun, ..Self::new(class, &format!("not begun: {why}")) }
    }

    /// A request to the API that failed.
    pub(crate) fn of_api(error: &claude::Error) -> Self {
        let is_odd_answer = matches!(
            error,
            Error::Body { defect: Defect::Member { .. } | Defect::NotAnObject | Defect::RepeatedCursor, .. }
        );
        Self {
            class: error.class(),
            error: storable(&Chain(error).to_string()),
            request_id: error.request_id().map(storable),
            retry_after: error.retry_after().and_then(|wait| TimeDelta::from_std(wait).ok()),
            blame: if is_odd_answer { Blame::Resource } else { Blame::Event },
        }
    }

    /// A question to the store that was not answered.
    pub(crate) fn of_store(error: &store::Error) -> Self {
        Self { blame: Blame::Outage, ..Self::new(FailureClass::Transient, &Chain(error).to_string()) }
    }

    /// A panic, caught where the work was begun.
    pub(crate) fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Self::new(FailureClass::Bug, &format!("panicked: {text}"))
    }
}

/// Postgres keeps no NUL in a text, and nobody reads a megabyte.
fn storable(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(LONGEST_ERROR).collect()
}
