//! When an alert about a resource is over: a function of what is known of the resource, so that it does not matter in
//! which order deliveries came, nor whether the alert was raised before or after what ended it.

use super::AlertKind;
use crate::state::ResourceState;
use chrono::{DateTime, TimeDelta, Utc};

/// What an alert was raised for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The session's idle event, where the alert is about why the session waits.
    pub idle_event: Option<String>,
    /// When it happened, by the platform's clock.
    pub at: DateTime<Utc>,
}

/// An event of the resource's history, from the second of the cause on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterEvent {
    /// What happened.
    pub event_type: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
}

/// Events have whole seconds, snapshots have more: what changed less than this after the cause may have been before it.
const GRAIN: TimeDelta = TimeDelta::seconds(1);

/// The events that say that a session runs.
const RUNS: [&str; 2] = ["session.status_run_started", "session.running"];

/// The events that end an alert of a kind when they come after its cause.
const fn ends(kind: AlertKind) -> &'static [&'static str] {
    match kind {
        AlertKind::SessionBudgetReached
        | AlertKind::SessionRetriesExhausted
        | AlertKind::SessionRefusal
        | AlertKind::SessionError => &["session.status_run_started", "session.running", "session.archived"],
        AlertKind::CredentialRefreshFailed => &["vault_credential.archived"],
        AlertKind::DeploymentPaused => &["deployment.unpaused", "deployment.archived"],
        AlertKind::ExternalKeyFailed => &["external_key.recovered"],
        AlertKind::EnforcementActionOpened => &["user_profile.enforcement_action_resolved"],
        AlertKind::DeploymentRunFailed
        | AlertKind::ModerationDenied
        | AlertKind::EventReported
        | AlertKind::ReviewOverdue
        | AlertKind::ExecutorFailed
        | AlertKind::EndpointFailing
        | AlertKind::EndpointSilent
        | AlertKind::EventsUnfinished
        | AlertKind::DeadLetters
        | AlertKind::ApiPaused
        | AlertKind::TranscriptNotFetched
        | AlertKind::Test => &[],
    }
}

/// From when on the history of its resource matters to an alert with this cause.
#[must_use]
pub fn matters_since(cause: &Cause) -> DateTime<Utc> {
    cause.at - GRAIN
}

/// Why an alert of `kind` is over, or `None` while it is not: from the state of its resource, and the events of its history
/// since [`matters_since`].
#[must_use]
pub fn over(kind: AlertKind, cause: &Cause, state: &ResourceState, later: &[LaterEvent]) -> Option<String> {
    let ends = ends(kind);
    if ends.is_empty() {
        return None;
    }
    if state.deleted_at.is_some() {
        return Some("deleted".to_owned());
    }
    let ended = |later: &&LaterEvent| {
        // Events have whole seconds. A run of the second of the cause was most likely the one that led to it; what closes,
        // or mends, comes after.
        let runs = RUNS.contains(&later.event_type.as_str());
        let since = if runs { cause.at } else { cause.at - GRAIN };
        ends.contains(&later.event_type.as_str()) && later.created_at > since
    };
    if let Some(end) = later.iter().find(ended) {
        return Some(end.event_type.clone());
    }
    by_snapshot(kind, cause, state)
}

/// Why an alert is over as soon as its effect is looked at, by what whoever recorded the effect has found out: a credential
/// that could not be refreshed, and was tried out and works, needs nobody.
#[must_use]
pub fn over_at_once(kind: AlertKind, detail: &str) -> Option<&'static str> {
    let works = kind == AlertKind::CredentialRefreshFailed && detail.contains(": credential is valid");
    works.then_some("tried out, and it is valid")
}

/// What the newest snapshot says: an event that would have ended the alert may never have been delivered.
fn by_snapshot(kind: AlertKind, cause: &Cause, state: &ResourceState) -> Option<String> {
    let snapshot = state.snapshot.as_ref()?;
    let status = snapshot.status.as_deref()?;
    let changed = snapshot.updated_at.unwrap_or(snapshot.fetched_at);
    if changed <= cause.at + GRAIN {
        return None;
    }
    if is_archived(&snapshot.body) {
        return Some("seen archived".to_owned());
    }
    let is_over = match kind {
        AlertKind::SessionBudgetReached
        | AlertKind::SessionRetriesExhausted
        | AlertKind::SessionRefusal
        | AlertKind::SessionError => match &snapshot.waiting {
            _ if matches!(status, "running" | "rescheduling" | "archived") => true,
            // It went idle again, and so ran in between.
            Some(waiting) if status == "idle" => {
                cause.idle_event.as_ref().is_some_and(|cause| *cause != waiting.event_id)
            }
            _ => false,
        },
        AlertKind::DeploymentPaused => matches!(status, "active" | "archived"),
        AlertKind::CredentialRefreshFailed => status == "archived",
        AlertKind::DeploymentRunFailed
        | AlertKind::ModerationDenied
        | AlertKind::ExternalKeyFailed
        | AlertKind::EnforcementActionOpened
        | AlertKind::EventReported
        | AlertKind::ReviewOverdue
        | AlertKind::ExecutorFailed
        | AlertKind::EndpointFailing
        | AlertKind::EndpointSilent
        | AlertKind::EventsUnfinished
        | AlertKind::DeadLetters
        | AlertKind::ApiPaused
        | AlertKind::TranscriptNotFetched
        | AlertKind::Test => false,
    };
    is_over.then(|| format!("seen {status}"))
}

/// Archiving a session leaves it `terminated`, and a deployment `active`: only this member says it.
fn is_archived(body: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Archived {
        archived_at: Option<String>,
    }
    serde_json::from_str(body).is_ok_and(|Archived { archived_at }| archived_at.is_some())
}
