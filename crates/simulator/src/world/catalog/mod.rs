//! Everything in the workspace that is no session: agents, environments, vaults and what is in them.
//!
//! All kinds live by the same calls (create, update, archive, delete, list), so a kind is a file with its
//! [`Rules`]: its members, its place in the API, what it announces. What only one kind does is in its file too.

mod agent;
mod calls;
mod credential;
mod deployment;
mod deployment_run;
mod environment;
mod happening;
mod listing;
mod memory_store;
mod resource;
mod rules;
mod schedule;
mod vault;

use std::collections::BTreeMap;

use self::rules::Rules;
pub(crate) use self::{
    deployment::by_hand,
    happening::{Happening, Wish},
    listing::{DEFAULT_LIMIT, Filter},
    resource::Resource,
    rules::Calls,
};
use crate::world::refusal::Refusal;

/// The kinds of resource, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Agent,
    Environment,
    Vault,
    Credential,
    Deployment,
    DeploymentRun,
    MemoryStore,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Agent,
        Self::Environment,
        Self::Vault,
        Self::Credential,
        Self::Deployment,
        Self::DeploymentRun,
        Self::MemoryStore,
    ];

    pub(crate) fn rules(self) -> &'static Rules {
        match self {
            Self::Agent => &agent::RULES,
            Self::Environment => &environment::RULES,
            Self::Vault => &vault::RULES,
            Self::Credential => &credential::RULES,
            Self::Deployment => &deployment::RULES,
            Self::DeploymentRun => &deployment_run::RULES,
            Self::MemoryStore => &memory_store::RULES,
        }
    }

    /// By the `type` of its objects.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.rules().name == name)
    }
}

/// All resources, also the deleted ones: what is gone must still be comparable.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    items: BTreeMap<(Kind, String), Resource>,
}

impl Catalog {
    /// A resource that exists.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<&Resource> {
        self.items.get(&(kind, id.to_owned())).filter(|item| !item.is_deleted())
    }

    pub(crate) fn get(&mut self, kind: Kind, id: &str) -> Result<&mut Resource, Refusal> {
        let found = self.items.get_mut(&(kind, id.to_owned())).filter(|item| !item.is_deleted());
        found.ok_or(Refusal::NotFound { what: kind.rules().name })
    }

    /// Puts a resource in place of the one with its id, if any.
    pub(crate) fn put(&mut self, kind: Kind, resource: Resource) {
        self.items.insert((kind, resource.id().to_owned()), resource);
    }

    /// Those of a kind that exist, by id.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        self.ever(kind).filter(|item| !item.is_deleted())
    }

    /// Those of a kind that exist or have existed, by id.
    pub(crate) fn ever(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        self.items.iter().filter(move |((known, _), _)| *known == kind).map(|(_, item)| item)
    }

    /// Ids of those that exist and are such, oldest first.
    pub(crate) fn ids_where(&self, kind: Kind, such: impl Fn(&Resource) -> bool) -> Vec<String> {
        let mut found: Vec<&Resource> = self.of(kind).filter(|item| such(item)).collect();
        found.sort_by_key(|item| (item.text("created_at"), item.id()));
        found.into_iter().map(|item| item.id().to_owned()).collect()
    }
}
