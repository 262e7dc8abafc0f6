//! What events happen to.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The kinds of resource that events name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the platform's own words; see docs/ARCHITECTURE.md")]
pub enum ResourceKind {
    Session,
    SessionThread,
    Vault,
    VaultCredential,
    Agent,
    Deployment,
    DeploymentRun,
    Environment,
    MemoryStore,
    ExternalKey,
    UserProfile,
    /// A message of the classic contract; it lives in payloads only.
    Message,
}

impl ResourceKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Session,
        Self::SessionThread,
        Self::Vault,
        Self::VaultCredential,
        Self::Agent,
        Self::Deployment,
        Self::DeploymentRun,
        Self::Environment,
        Self::MemoryStore,
        Self::ExternalKey,
        Self::UserProfile,
        Self::Message,
    ];

    /// The name under which the kind is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SessionThread => "session_thread",
            Self::Vault => "vault",
            Self::VaultCredential => "vault_credential",
            Self::Agent => "agent",
            Self::Deployment => "deployment",
            Self::DeploymentRun => "deployment_run",
            Self::Environment => "environment",
            Self::MemoryStore => "memory_store",
            Self::ExternalKey => "external_key",
            Self::UserProfile => "user_profile",
            Self::Message => "message",
        }
    }
}

impl ResourceKind {
    /// The kind of what resources of this kind belong to, where they can only be fetched through it.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::SessionThread => Some(Self::Session),
            Self::VaultCredential => Some(Self::Vault),
            Self::Session
            | Self::Vault
            | Self::Agent
            | Self::Deployment
            | Self::DeploymentRun
            | Self::Environment
            | Self::MemoryStore
            | Self::ExternalKey
            | Self::UserProfile
            | Self::Message => None,
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the name of a resource kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown resource type {0:?}; known are session, session_thread, message and the other types of the API"
)]
pub struct UnknownResourceKind(pub String);

impl FromStr for ResourceKind {
    type Err = UnknownResourceKind;

    fn from_str(text: &str) -> Result<Self, UnknownResourceKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownResourceKind(text.to_owned()))
    }
}

/// One resource, named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRef {
    /// What it is.
    pub kind: ResourceKind,
    /// Its id.
    pub id: String,
    /// The id of what it belongs to: a thread's session, a credential's vault. Some fetches need it.
    pub parent_id: Option<String>,
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}
