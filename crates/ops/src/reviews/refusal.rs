//! Why a decision or a claim is not taken.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::review::Mismatch;
use store::Review;

/// Why a decision or a claim was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotDecided {
    /// Postgres is away or refuses.
    #[error("the review could not be changed")]
    Store(#[from] store::Error),
    /// There is no such review.
    #[error("there is no such review")]
    Unknown,
    /// Nobody knows yet what is asked.
    #[error("the question was not looked up yet{}", .last_error.as_deref().map(|error| format!(": {error}")).unwrap_or_default())]
    Preparing {
        /// Why not, if that failed.
        last_error: Option<String>,
    },
    /// The policy or an executor is at it.
    #[error("it is with {with}; when that fails, a person is asked if the policy says so")]
    Executing {
        /// Who or what.
        with: String,
    },
    /// Somebody was faster.
    #[error("it was decided by {by} at {}; `worker reviews show` tells how far the answer is", instant(.at))]
    Decided {
        /// Who.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// The session has an answer.
    #[error("the session has an answer{}", .by.as_deref().map_or_else(|| " that somebody gave elsewhere".to_owned(), |by| format!(", decided by {by}")))]
    Answered {
        /// Who decided, if it was decided here.
        by: Option<String>,
    },
    /// The session does not wait for it any more.
    #[error("it is obsolete: {because}")]
    Obsolete {
        /// Why.
        because: &'static str,
    },
    /// Somebody works on it.
    #[error("it is claimed by {by} until {}", instant(.until))]
    Claimed {
        /// Who.
        by: String,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// The answer that was decided is a dead letter.
    #[error(
        "the answer of {by} could not be delivered: `worker dlq replay {event}` tries again, and after `worker dlq discard {event}` it can be decided anew"
    )]
    Failed {
        /// Who decided.
        by: String,
        /// The dead letter.
        event: String,
    },
    /// The answer does not fit the question.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

fn instant(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Why a review is obsolete, for people.
#[must_use]
pub(super) fn why_obsolete(review: &Review) -> &'static str {
    match (review.closed_as.as_deref(), review.reply_state.as_deref(), review.session_status.as_deref()) {
        (Some("needs_nobody"), _, _) => "the agent's own policy has answered it",
        (Some("thread_ended"), _, _) => "its thread has ended",
        (Some("session_over"), _, _) => "its session has ended",
        (_, Some("obsolete"), _) => {
            "the session did not wait for it any more when the answer was to be posted"
        }
        (_, _, Some("deleted")) => "the session was deleted",
        (_, _, Some("terminated")) => "the session has ended",
        (_, _, Some("running" | "rescheduling")) => "the session runs again",
        _ => "the session does not wait for it any more",
    }
}
