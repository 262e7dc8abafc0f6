//! What each type of event means: the one table from which fetching, ordering and consequences follow.

use crate::resource::ResourceKind;

/// What has to be looked up before an event can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// The resource itself (and for an idle session, the reason why it waits).
    Resource,
    /// Nothing: the event is final by itself.
    Nothing,
    /// Nothing: the payload is the snapshot (classic events).
    Payload,
    /// Nothing is built to fetch this kind; the event is stored and shown, and nothing follows.
    Unsupported,
}

/// What an event brings about, besides state and history. What a *waiting* session calls for does not stand here:
/// it follows from the snapshot, whichever event led to it (see [`crate::decide()`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// State and history only.
    State,
    /// A person is told.
    Alert,
    /// The session is over: its transcript is to be archived.
    Closes,
    /// The resource is gone for good.
    Deletes,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The event type.
    pub event_type: &'static str,
    /// What it happens to.
    pub resource: ResourceKind,
    /// How late in the lifecycle events of this type come; breaks ties of `created_at`.
    pub rank: u8,
    /// What to look up.
    pub fetch: Fetch,
    /// What follows.
    pub consequence: Consequence,
}

/// The rule of an event type, or `None` for a type nobody told us about.
#[must_use]
pub fn rule_for(event_type: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.event_type == event_type)
}

/// The rule for an unknown type of a known kind: look at the resource again, since something happened to it.
#[must_use]
pub fn fallback_rule(kind: ResourceKind) -> Rule {
    let fetch = match kind {
        ResourceKind::Session | ResourceKind::SessionThread => Fetch::Resource,
        ResourceKind::Vault
        | ResourceKind::VaultCredential
        | ResourceKind::Agent
        | ResourceKind::Deployment
        | ResourceKind::DeploymentRun
        | ResourceKind::Environment
        | ResourceKind::MemoryStore
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile
        | ResourceKind::Message => Fetch::Unsupported,
    };
    // No tie-break rank of its own: an unknown type sorts before the known ones of the same instant.
    Rule { event_type: "", resource: kind, rank: 0, fetch, consequence: Consequence::State }
}

/// The kind that an event type speaks of, told by its first words.
#[must_use]
pub fn kind_of(event_type: &str) -> Option<ResourceKind> {
    if let Some(rule) = rule_for(event_type) {
        return Some(rule.resource);
    }
    if event_type.starts_with("session.thread_") {
        return Some(ResourceKind::SessionThread);
    }
    let (family, _) = event_type.split_once('.')?;
    match family {
        "session" | "tool" => Some(ResourceKind::Session),
        "content_moderation" => Some(ResourceKind::Message),
        family => family.parse().ok(),
    }
}

const fn row(
    event_type: &'static str,
    resource: ResourceKind,
    rank: u8,
    fetch: Fetch,
    consequence: Consequence,
) -> Rule {
    Rule { event_type, resource, rank, fetch, consequence }
}

use Consequence::{Alert, Closes, Deletes, State};
use Fetch::{Nothing, Payload, Resource, Unsupported};
use ResourceKind::{
    Agent, Deployment, DeploymentRun, Environment, ExternalKey, MemoryStore, Message, Session, SessionThread,
    UserProfile, Vault, VaultCredential,
};

/// All types we know. Ranks rise along a life: created, running, waiting, ended, archived, deleted.
pub const RULES: &[Rule] = &[
    row("session.created", Session, 10, Resource, State),
    row("session.status_scheduled", Session, 11, Resource, State),
    row("session.pending", Session, 12, Resource, State),
    row("session.updated", Session, 15, Resource, State),
    row("session.running", Session, 20, Resource, State),
    row("session.status_run_started", Session, 21, Resource, State),
    row("session.status_rescheduled", Session, 25, Resource, State),
    row("session.outcome_evaluation_ended", Session, 30, Resource, State),
    row("session.budget_reached", Session, 40, Resource, Alert),
    row("session.idled", Session, 50, Resource, State),
    row("session.status_idled", Session, 51, Resource, State),
    row("session.requires_action", Session, 52, Resource, State),
    row("tool.result_pending", Session, 53, Resource, State),
    row("session.status_error", Session, 60, Resource, Alert),
    row("session.status_completed", Session, 70, Resource, Closes),
    row("session.status_terminated", Session, 80, Resource, Closes),
    row("session.archived", Session, 90, Resource, Closes),
    row("session.deleted", Session, 100, Nothing, Deletes),
    row("session.thread_created", SessionThread, 10, Resource, State),
    row("session.thread_idled", SessionThread, 50, Resource, State),
    row("session.thread_terminated", SessionThread, 80, Resource, State),
    row("content_moderation.denied", Message, 20, Payload, Alert),
    row("message.created", Message, 10, Payload, State),
    row("vault.created", Vault, 10, Unsupported, State),
    row("vault.archived", Vault, 90, Unsupported, State),
    row("vault.deleted", Vault, 100, Nothing, Deletes),
    row("vault_credential.created", VaultCredential, 10, Unsupported, State),
    row("vault_credential.refresh_failed", VaultCredential, 50, Unsupported, Alert),
    row("vault_credential.archived", VaultCredential, 90, Unsupported, State),
    row("vault_credential.deleted", VaultCredential, 100, Nothing, Deletes),
    row("agent.created", Agent, 10, Unsupported, State),
    row("agent.updated", Agent, 20, Unsupported, State),
    row("agent.archived", Agent, 90, Unsupported, State),
    row("agent.deleted", Agent, 100, Nothing, Deletes),
    row("deployment.created", Deployment, 10, Unsupported, State),
    row("deployment.updated", Deployment, 20, Unsupported, State),
    row("deployment.paused", Deployment, 40, Unsupported, Alert),
    row("deployment.unpaused", Deployment, 50, Unsupported, State),
    row("deployment.archived", Deployment, 90, Unsupported, State),
    row("deployment.deleted", Deployment, 100, Nothing, Deletes),
    row("deployment_run.started", DeploymentRun, 10, Unsupported, State),
    row("deployment_run.succeeded", DeploymentRun, 50, Unsupported, State),
    row("deployment_run.failed", DeploymentRun, 60, Unsupported, Alert),
    row("environment.created", Environment, 10, Unsupported, State),
    row("environment.updated", Environment, 20, Unsupported, State),
    row("environment.archived", Environment, 90, Unsupported, State),
    row("environment.deleted", Environment, 100, Nothing, Deletes),
    row("memory_store.created", MemoryStore, 10, Unsupported, State),
    row("memory_store.archived", MemoryStore, 90, Unsupported, State),
    row("memory_store.deleted", MemoryStore, 100, Nothing, Deletes),
    row("external_key.failed", ExternalKey, 20, Unsupported, State),
    row("external_key.recovered", ExternalKey, 30, Unsupported, State),
    row("user_profile.enforcement_action_opened", UserProfile, 20, Unsupported, State),
    row("user_profile.enforcement_action_resolved", UserProfile, 30, Unsupported, State),
    row("user_profile.program_status_updated", UserProfile, 40, Unsupported, State),
];

#[cfg(test)]
mod tests;
