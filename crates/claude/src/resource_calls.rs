//! The calls that are alike for every kind of resource, and where each kind is found.

use crate::call::{Beta, Call};
use crate::path::Segment::{self, Id, Word};
use crate::{Client, Error, Fetched, Page, Resource, ResourceFilter, Retry, Validation};
use domain::{ResourceKind, ResourceRef};
use reqwest::Method;

/// Where a kind of resource is found.
#[derive(Debug, Clone, Copy)]
struct Place {
    get: &'static str,
    list: &'static str,
    /// What it belongs to, and the word of that in the path.
    parent: Option<(ResourceKind, &'static str)>,
    word: &'static str,
    beta: Beta,
}

impl Place {
    fn of(kind: ResourceKind) -> Result<Self, Error> {
        use ResourceKind as Kind;
        let place = |get, list, parent, word| Self { get, list, parent, word, beta: Beta::Agents };
        Ok(match kind {
            Kind::Session => place("get_session", "list_sessions", None, "sessions"),
            Kind::SessionThread => {
                place("get_thread", "list_threads", Some((Kind::Session, "sessions")), "threads")
            }
            Kind::Vault => place("get_vault", "list_vaults", None, "vaults"),
            Kind::VaultCredential => {
                place("get_credential", "list_credentials", Some((Kind::Vault, "vaults")), "credentials")
            }
            Kind::Agent => place("get_agent", "list_agents", None, "agents"),
            Kind::Deployment => place("get_deployment", "list_deployments", None, "deployments"),
            Kind::DeploymentRun => {
                place("get_deployment_run", "list_deployment_runs", None, "deployment_runs")
            }
            Kind::Environment => place("get_environment", "list_environments", None, "environments"),
            Kind::MemoryStore => {
                let place = place("get_memory_store", "list_memory_stores", None, "memory_stores");
                Self { beta: Beta::Memory, ..place }
            }
            Kind::ExternalKey | Kind::UserProfile | Kind::Message => return Err(Error::NotOffered { kind }),
        })
    }

    /// The path of the list.
    fn path(self, kind: ResourceKind, parent: Option<&str>) -> Result<Vec<Segment<'_>>, Error> {
        let mut path = Vec::with_capacity(4);
        if let Some((of, word)) = self.parent {
            let parent = parent.ok_or(Error::NoParent { kind, parent: of })?;
            path.extend([Word(word), Id(of, parent)]);
        }
        path.push(Word(self.word));
        Ok(path)
    }
}

impl Client {
    /// Fetches a resource of any kind. Archived ones are still there, deleted ones are 404.
    ///
    /// # Errors
    /// [`Error::NotOffered`] for kinds without an API (external keys, user profiles, classic messages);
    /// [`Error::NoParent`] for a thread or a credential of which only the id is known; else see [`Error`], of class
    /// [`Gone`](domain::FailureClass::Gone) if there is no such resource.
    pub async fn resource(&self, resource: &ResourceRef) -> Result<Fetched<Resource>, Error> {
        let kind = resource.kind;
        let place = Place::of(kind)?;
        let mut path = place.path(kind, resource.parent_id.as_deref())?;
        path.push(Id(kind, &resource.id));
        let call = Call { beta: place.beta, ..Call::get(place.get, &path) };
        self.send(&call).await?.object_as(|object| Resource::read(kind, &object))
    }

    /// Lists one page of the resources of a kind. `parent` is the session of threads, the vault of credentials, and
    /// nothing for all other kinds.
    ///
    /// # Errors
    /// As [`Client::resource`]; an expired cursor is a refusal with status 400.
    pub async fn list_resources(
        &self,
        kind: ResourceKind,
        parent: Option<&str>,
        filter: &ResourceFilter,
    ) -> Result<Page<Resource>, Error> {
        let place = Place::of(kind)?;
        let path = place.path(kind, parent)?;
        let call = Call { beta: place.beta, ..Call::get(place.list, &path) }.with_query(filter.query(kind));
        self.send(&call).await?.page_as(|object| Resource::read(kind, &object))
    }

    /// Lists resources page by page to the end, but at most `max_pages` pages (at least one): `next_page` then tells
    /// where to go on.
    ///
    /// # Errors
    /// The first error of [`Client::list_resources`]; what was listed before it is lost.
    pub async fn all_resources(
        &self,
        kind: ResourceKind,
        parent: Option<&str>,
        filter: &ResourceFilter,
        max_pages: u32,
    ) -> Result<Page<Resource>, Error> {
        let place = Place::of(kind)?;
        let path = place.path(kind, parent)?;
        let call = Call { beta: place.beta, ..Call::get(place.list, &path) }.with_query(filter.query(kind));
        self.list_all_as(call, max_pages, |object| Resource::read(kind, &object)).await
    }

    /// Probes a credential: the platform tries it out at its server now, and may refresh its token.
    ///
    /// Not a harmless question, so it is repeated in place only where the first one was certainly not carried out
    /// ([`Retry::Unambiguous`]).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn validate_credential(
        &self,
        vault_id: &str,
        credential_id: &str,
    ) -> Result<Fetched<Validation>, Error> {
        let path = [
            Word("vaults"),
            Id(ResourceKind::Vault, vault_id),
            Word("credentials"),
            Id(ResourceKind::VaultCredential, credential_id),
            Word("mcp_oauth_validate"),
        ];
        let call = Call {
            method: Method::POST,
            retry: Retry::Unambiguous,
            ..Call::get("validate_credential", &path)
        };
        self.send(&call).await?.object()
    }
}
