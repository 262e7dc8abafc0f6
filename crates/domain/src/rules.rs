//! What each type of event means: the one table from which fetching, ordering and consequences follow, and
//! `docs/EVENTS.md` too.

mod table;
#[cfg(test)]
mod tests;
mod words;

use crate::resource::ResourceKind;
pub use table::RULES;

/// What has to be looked up before an event can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// The resource itself (and for an idle session, the reason why it waits).
    Resource,
    /// The resource, from the API in any case, and what else there is to ask about why this happened: when the session
    /// idled for that reason, what a live probe of the credential finds.
    ResourceAndCause,
    /// Nothing: the event is final by itself.
    Nothing,
    /// Nothing: the payload is the snapshot (classic events).
    Payload,
    /// Nothing: the API does not give out this kind. The event stands in the resource's history and is all we know.
    Unavailable,
}

impl Fetch {
    /// Whether the API is asked.
    #[must_use]
    pub const fn is_asked_for(self) -> bool {
        matches!(self, Self::Resource | Self::ResourceAndCause)
    }
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

/// Who says that a type exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The platform's documents, with the occasion on which it is sent.
    Documented,
    /// The platform's client libraries alone; nobody published when it is sent.
    SdkOnly,
    /// Documents that the platform has replaced since.
    OlderDocuments,
    /// The platform, for endpoints of whole organizations.
    Organization,
    /// The second of the two contracts that Holdfast was built for (thin events).
    Contract,
    /// The first of them (full payloads).
    Classic,
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
    /// Who says that the type exists.
    pub source: Source,
    /// What has happened, in words.
    pub happens_when: &'static str,
}

/// The rule of an event type, or `None` for a type nobody told us about.
#[must_use]
pub fn rule_for(event_type: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.event_type == event_type)
}

/// The rule for an unknown type of a known kind: look at the resource again, since something happened to it. `None` for
/// classic events, of which an unknown one may show anything.
#[must_use]
pub fn fallback_rule(kind: ResourceKind) -> Option<Rule> {
    let fetch = match kind {
        ResourceKind::Session
        | ResourceKind::SessionThread
        | ResourceKind::Vault
        | ResourceKind::VaultCredential
        | ResourceKind::Agent
        | ResourceKind::Deployment
        | ResourceKind::DeploymentRun
        | ResourceKind::Environment
        | ResourceKind::MemoryStore => Fetch::Resource,
        ResourceKind::ExternalKey | ResourceKind::UserProfile => Fetch::Unavailable,
        ResourceKind::Message => return None,
    };
    Some(Rule {
        event_type: "",
        resource: kind,
        // No tie-break rank of its own: an unknown type sorts before the known ones of the same instant.
        rank: 0,
        fetch,
        consequence: Consequence::State,
        source: Source::SdkOnly,
        happens_when: "",
    })
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
