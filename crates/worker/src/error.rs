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
    /// A filter that other resources do not have.
    #[error("--blocked and --level are about messages: leave out --type {kind}, or say --type message")]
    OfMessagesOnly {
        /// What was asked for.
        kind: ResourceKind,
    },
    /// There is no such alert.
    #[error("there is no alert {id}; `worker alerts list --all` shows them")]
    NoAlert {
        /// The number that was asked for.
        id: i64,
    },
    /// The alert is closed already.
    #[error("alert {id} was resolved before, at {at}; nothing was changed")]
    AlertOver {
        /// Its number.
        id: i64,
        /// When it was resolved.
        at: String,
    },
    /// There is no transcript of the session.
    #[error("there is no transcript of session {id}: {hint}")]
    NoTranscript {
        /// The session that was asked for.
        id: String,
        /// Why not, and what to do.
        hint: String,
    },
    /// The transcript has no such child thread.
    #[error(
        "the transcript of session {session} has no thread {id}; `worker transcripts show {session} --json` names them"
    )]
    NoThread {
        /// The thread that was asked for.
        id: String,
        /// The session.
        session: String,
    },
    /// What is stored is not what was fetched.
    #[error(
        "the transcript of session {id} is damaged: its digest is not the one that was taken when it was fetched; what was \
         written is not to be relied on"
    )]
    TranscriptDamaged {
        /// The session.
        id: String,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Unwritable {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
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
            | Self::OfMessagesOnly { .. }
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
            | Self::NoAlert { .. }
            | Self::NoTranscript { .. }
            | Self::NoThread { .. }
            | Self::TranscriptDamaged { .. }
            | Self::Unwritable { .. }
            | Self::AlertOver { .. }
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
        if let Some(error) = cause.downcast_ref::<claude::Error>() {
            return Some(exit_of_class(error.class()));
        }
        cause.downcast_ref::<broker::Error>().map(|error| exit_of_class(error.class()))
    });
    known.unwrap_or(Exit::Failure)
}

/// What is out of order elsewhere heals by itself, or by somebody who changes a setting, or not.
const fn exit_of_class(class: FailureClass) -> Exit {
    match class {
        FailureClass::Transient | FailureClass::Throttled => Exit::Temporary,
        FailureClass::Configuration => Exit::Usage,
        FailureClass::Gone | FailureClass::Permanent | FailureClass::Bug => Exit::Failure,
    }
}

#[cfg(test)]
mod tests;
