//! What a command can fail with, and the exit code of each failure.

use domain::{FailureClass, ResourceKind};
use runtime::Exit;

/// A command cannot do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A command for many dead letters that does not say which.
    #[error("say which dead letters: their ids, a filter such as --type or --class, or --all")]
    NothingSelected,
    /// Nobody is there to be asked.
    #[error(
        "--yes is missing: without a terminal nobody can be asked whether to {action} all dead letters that match"
    )]
    CannotAsk {
        /// `replay` or `discard`.
        action: &'static str,
    },
    /// The person said no.
    #[error("nothing was changed")]
    Declined,
    /// There is no such event.
    #[error("there is no event {id}")]
    NoEvent {
        /// The id that was asked for.
        id: String,
    },
    /// Several endpoints received an event with that id.
    #[error("event {id} was received by several endpoints ({endpoints}): choose one with --endpoint")]
    SeveralEndpoints {
        /// The id that was asked for.
        id: String,
        /// Their names.
        endpoints: String,
    },
    /// Events that exist, but not in the dead-letter queue.
    #[error("not in the dead-letter queue: {events}; nothing was changed")]
    NotDead {
        /// Each with its status.
        events: String,
    },
    /// There is no such resource.
    #[error("there is no {kind} {id}")]
    NoResource {
        /// What it would be.
        kind: ResourceKind,
        /// The id that was asked for.
        id: String,
    },
    /// There is no such replay.
    #[error("there is no replay {id}")]
    NoReplay {
        /// The number that was asked for.
        id: i64,
    },
    /// The replay cannot be cancelled.
    #[error("replay {id} is {status} and cannot be cancelled")]
    ReplayOver {
        /// Its number.
        id: i64,
        /// `finished` or `cancelled`.
        status: String,
    },
    /// The person wanted no more of it, twice.
    #[error(
        "stopped at once; the chunk that was under way is undone, `worker dlq replay --resume {id}` goes on"
    )]
    Interrupted {
        /// The replay's number.
        id: i64,
    },
    /// There is no such review.
    #[error("there is no review {id}; `worker reviews list --all` shows all of them")]
    NoReview {
        /// The id that was asked for.
        id: String,
    },
    /// The beginning of an id that several reviews have.
    #[error("several reviews have an id that begins with {id}: {ids}")]
    SeveralReviews {
        /// What was asked for.
        id: String,
        /// Some of theirs.
        ids: String,
    },
    /// The review cannot be decided or claimed.
    #[error("review {id} was not changed")]
    NotDecided {
        /// Its id.
        id: String,
        /// Why not.
        #[source]
        source: ops::reviews::NotDecided,
    },
    /// The answer is of the wrong kind.
    #[error("review {id} was not changed: {problem}; {advice}")]
    WrongAnswer {
        /// Its id.
        id: String,
        /// What is wrong.
        problem: domain::review::Mismatch,
        /// The command that fits.
        advice: String,
    },
    /// Nobody knows who decides.
    #[error("say who you are with --as NAME (HOLDFAST_REVIEWER): it is kept with the decision")]
    WhoAreYou,
    /// The argument is no JSON.
    #[error("--json-body is no JSON; for plain text there is --text")]
    NoJson {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// What was read is too long.
    #[error("{path} is longer than the {limit_bytes} bytes that an answer may have")]
    TooLong {
        /// The file, `-` for standard input.
        path: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file, `-` for standard input.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    const fn exit(&self) -> Exit {
        match self {
            Self::NothingSelected
            | Self::CannotAsk { .. }
            | Self::SeveralEndpoints { .. }
            | Self::SeveralReviews { .. }
            | Self::WrongAnswer { .. }
            | Self::WhoAreYou
            | Self::NoJson { .. }
            | Self::TooLong { .. } => Exit::Usage,
            Self::Declined
            | Self::NoEvent { .. }
            | Self::NotDead { .. }
            | Self::NoResource { .. }
            | Self::NoReplay { .. }
            | Self::ReplayOver { .. }
            | Self::Interrupted { .. }
            | Self::NoReview { .. }
            | Self::NotDecided { .. }
            | Self::Unreadable { .. } => Exit::Failure,
        }
    }
}

/// The exit code of an error: that of the first of its causes that knows one.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    let known = error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<Error>() {
            return Some(error.exit());
        }
        if cause.is::<settings::Problems>() {
            return Some(Exit::Usage);
        }
        if let Some(error) = cause.downcast_ref::<store::Error>() {
            return Some(if error.is_unavailable() { Exit::Temporary } else { Exit::Failure });
        }
        cause.downcast_ref::<broker::Error>().map(|error| match error.class() {
            FailureClass::Transient | FailureClass::Throttled => Exit::Temporary,
            FailureClass::Configuration => Exit::Usage,
            FailureClass::Gone | FailureClass::Permanent | FailureClass::Bug => Exit::Failure,
        })
    });
    known.unwrap_or(Exit::Failure)
}

#[cfg(test)]
mod tests;
