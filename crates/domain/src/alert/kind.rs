//! The kinds of alert: the one table from which severity, cause and end follow. `docs/ALERTS.md` has a row for each.

use super::Severity;
use std::fmt;
use std::str::FromStr;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A session has used up its budget and waits.
    SessionBudgetReached,
    /// A session's turn ended because retrying did not help.
    SessionRetriesExhausted,
    /// A session's turn ended because the model refused.
    SessionRefusal,
    /// A session reported an error.
    SessionError,
    /// A credential could not be refreshed.
    CredentialRefreshFailed,
    /// A deployment was paused, by a person or because it failed.
    DeploymentPaused,
    /// A run of a deployment failed.
    DeploymentRunFailed,
    /// Moderation denied a message.
    ModerationDenied,
    /// A customer-managed key does not work.
    ExternalKeyFailed,
    /// Measures against a user profile were opened.
    EnforcementActionOpened,
    /// An event of a type that calls for an alert and has no kind of its own.
    EventReported,
    /// Nobody answered a review in time.
    ReviewOverdue,
    /// An executor did not do what it was called for.
    ExecutorFailed,
    /// An endpoint answers its sender with failures in a row.
    EndpointFailing,
    /// An endpoint has had no delivery for longer than expected.
    EndpointSilent,
    /// An accepted event is unfinished for too long.
    EventsUnfinished,
    /// There are dead letters.
    DeadLetters,
    /// Events wait because the Claude API is away or refuses our key.
    ApiPaused,
    /// A transcript could not be fetched.
    TranscriptNotFetched,
    /// Somebody asked for it.
    Test,
}

impl AlertKind {
    /// All kinds, in the order of `docs/ALERTS.md`.
    pub const ALL: [Self; 20] = [
        Self::SessionBudgetReached,
        Self::SessionRetriesExhausted,
        Self::SessionRefusal,
        Self::SessionError,
        Self::CredentialRefreshFailed,
        Self::DeploymentPaused,
        Self::DeploymentRunFailed,
        Self::ModerationDenied,
        Self::ExternalKeyFailed,
        Self::EnforcementActionOpened,
        Self::EventReported,
        Self::ReviewOverdue,
        Self::ExecutorFailed,
        Self::EndpointFailing,
        Self::EndpointSilent,
        Self::EventsUnfinished,
        Self::DeadLetters,
        Self::ApiPaused,
        Self::TranscriptNotFetched,
        Self::Test,
    ];

    /// The name under which the kind is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionBudgetReached => "session_budget_reached",
            Self::SessionRetriesExhausted => "session_retries_exhausted",
            Self::SessionRefusal => "session_refusal",
            Self::SessionError => "session_error",
            Self::CredentialRefreshFailed => "credential_refresh_failed",
            Self::DeploymentPaused => "deployment_paused",
            Self::DeploymentRunFailed => "deployment_run_failed",
            Self::ModerationDenied => "moderation_denied",
            Self::ExternalKeyFailed => "external_key_failed",
            Self::EnforcementActionOpened => "enforcement_action_opened",
            Self::EventReported => "event_reported",
            Self::ReviewOverdue => "review_overdue",
            Self::ExecutorFailed => "executor_failed",
            Self::EndpointFailing => "endpoint_failing",
            Self::EndpointSilent => "endpoint_silent",
            Self::EventsUnfinished => "events_unfinished",
            Self::DeadLetters => "dead_letters",
            Self::ApiPaused => "api_paused",
            Self::TranscriptNotFetched => "transcript_not_fetched",
            Self::Test => "test",
        }
    }

    /// The severity with which the kind is raised, where nothing says otherwise.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Test => Severity::Info,
            Self::SessionBudgetReached
            | Self::SessionRetriesExhausted
            | Self::SessionRefusal
            | Self::DeploymentPaused
            | Self::DeploymentRunFailed
            | Self::ModerationDenied
            | Self::EnforcementActionOpened
            | Self::EventReported
            | Self::ReviewOverdue
            | Self::ExecutorFailed
            | Self::EndpointFailing
            | Self::EndpointSilent
            | Self::DeadLetters
            | Self::TranscriptNotFetched => Severity::Warning,
            Self::SessionError
            | Self::CredentialRefreshFailed
            | Self::ExternalKeyFailed
            | Self::EventsUnfinished
            | Self::ApiPaused => Severity::Critical,
        }
    }

    /// The kind that an effect of kind `alert` becomes. Its detail is the type of the event that caused it, or the reason
    /// for which a session went idle; what follows after a colon is for people.
    #[must_use]
    pub fn of_effect(detail: &str) -> Self {
        let word = detail.split_once(':').map_or(detail, |(word, _)| word).trim();
        match word {
            "session.budget_reached" | "budget_reached" => Self::SessionBudgetReached,
            "retries_exhausted" => Self::SessionRetriesExhausted,
            "refusal" => Self::SessionRefusal,
            "session.status_error" => Self::SessionError,
            "vault_credential.refresh_failed" => Self::CredentialRefreshFailed,
            "deployment.paused" => Self::DeploymentPaused,
            "deployment_run.failed" => Self::DeploymentRunFailed,
            "content_moderation.denied" => Self::ModerationDenied,
            "external_key.failed" => Self::ExternalKeyFailed,
            "user_profile.enforcement_action_opened" => Self::EnforcementActionOpened,
            _ => Self::EventReported,
        }
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the name of a kind of alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of alert {0:?}; docs/ALERTS.md has all of them")]
pub struct UnknownAlertKind(pub String);

impl FromStr for AlertKind {
    type Err = UnknownAlertKind;

    fn from_str(text: &str) -> Result<Self, UnknownAlertKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownAlertKind(text.to_owned()))
    }
}
