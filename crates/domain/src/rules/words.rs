//! The table in words, for documents and for `worker events types`.

use super::{Consequence, Fetch, Rule, Source};
use crate::resource::ResourceKind;

impl Rule {
    /// What is looked up.
    #[must_use]
    pub const fn fetch_in_words(&self) -> &'static str {
        match (self.fetch, self.resource) {
            (Fetch::ResourceAndCause, ResourceKind::VaultCredential) => "credential, then a live probe of it",
            (Fetch::ResourceAndCause, _) => "session, its last idle events",
            (Fetch::Resource, ResourceKind::Session) => "session; idle: its last idle event",
            (Fetch::Resource, ResourceKind::SessionThread) => "thread",
            (Fetch::Resource, ResourceKind::VaultCredential) => "credential",
            (Fetch::Resource, ResourceKind::DeploymentRun) => "run",
            (Fetch::Resource, kind) => kind.as_str(),
            (Fetch::Nothing, _) => "nothing, the event is final",
            (Fetch::Payload, _) => "nothing, the payload is the state",
            (Fetch::Unavailable, _) => "nothing, there is no API for it",
        }
    }

    /// What follows, besides what the state of a session calls for.
    #[must_use]
    pub const fn effects_in_words(&self) -> &'static str {
        match self.consequence {
            Consequence::State => "state",
            Consequence::Alert => "state, alert",
            Consequence::Closes => "state, transcript archived",
            Consequence::Deletes => "tombstone",
        }
    }
}

impl Source {
    /// The word of the documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::SdkOnly => "SDK only",
            Self::OlderDocuments => "older documents",
            Self::Organization => "organization",
            Self::Contract => "contract",
            Self::Classic => "classic",
        }
    }
}
