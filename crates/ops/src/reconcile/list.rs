//! What the API lists, in the words of a comparison.

use super::Error;
use chrono::{DateTime, Utc};
use claude::{Client, Paging, Resource, ResourceFilter, Status, TimeRange};
use domain::reconcile::Listed;
use domain::{FailureClass, ResourceKind, ResourceRef};

/// Pages of one list of what belongs to a resource that are read at most. A vault has at most 20 credentials, a session at
/// most 25 threads at work.
const MOST_PAGES: u32 = 20;

/// A page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Listed>,
    pub(super) next: Option<String>,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Only sessions that are not at rest.
    pub(super) at_work: bool,
    /// Only runs that began since; the other lists have no such filter that would help, because what was created long ago
    /// may have changed since.
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) cursor: Option<&'a str>,
}

/// One page of a kind.
pub(super) async fn page(client: &Client, kind: ResourceKind, wanted: Wanted<'_>) -> Result<Page, Error> {
    let mut filter = ResourceFilter {
        paging: Paging { limit: Some(entries(kind)), page: wanted.cursor.map(str::to_owned) },
        // A list of what is at work has no use for what is archived, which is over.
        include_archived: !wanted.at_work,
        ..ResourceFilter::default()
    };
    if wanted.at_work {
        filter.statuses = vec![Status::Running, Status::Rescheduling];
    }
    if kind == ResourceKind::DeploymentRun {
        filter.created_at = TimeRange { gte: wanted.since, ..TimeRange::default() };
    }
    let page = client.list_resources(kind, None, &filter).await.map_err(Error::api(kind))?;
    let items = page.items.iter().map(|fetched| listed(&fetched.value, None)).collect();
    Ok(Page { items, next: page.next_page })
}

/// Whether a list of this kind has the newest first, so that its end need not be read. Of the others, the order is not
/// published.
pub(super) const fn is_newest_first(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Session | ResourceKind::Vault)
}

/// Whether a list of this kind can be had in part. What cannot is read whole each time, which also shows what is deleted:
/// there are few of these.
pub(super) const fn has_parts(kind: ResourceKind) -> bool {
    is_newest_first(kind) || matches!(kind, ResourceKind::DeploymentRun)
}

/// Entries of a page. Not published for sessions and environments.
const fn entries(kind: ResourceKind) -> u32 {
    if matches!(kind, ResourceKind::DeploymentRun) { 1_000 } else { 100 }
}

/// One resource by its id; `None` where it is not there.
pub(super) async fn one(client: &Client, resource: &ResourceRef) -> Result<Option<Listed>, Error> {
    match client.resource(resource).await {
        Ok(fetched) => Ok(Some(listed(&fetched.value, resource.parent_id.as_deref()))),
        Err(error) if error.class() == FailureClass::Gone => Ok(None),
        Err(source) => Err(Error::Api { kind: resource.kind, source }),
    }
}

/// The threads that others have opened in a session; the primary one, of which no webhook tells, is left out.
pub(super) async fn threads(client: &Client, session: &str) -> Result<Vec<Listed>, Error> {
    let mut threads = Vec::new();
    let mut paging = Paging { limit: Some(entries(ResourceKind::SessionThread)), page: None };
    for _ in 0..MOST_PAGES {
        let page = match client.threads(session, &paging).await {
            Ok(page) => page,
            Err(error) if error.class() == FailureClass::Gone => return Ok(threads),
            Err(source) => return Err(Error::Api { kind: ResourceKind::SessionThread, source }),
        };
        let children = page.items.iter().filter(|fetched| fetched.value.parent_thread_id.is_some());
        threads.extend(children.map(|fetched| Listed {
            resource: ResourceRef {
                kind: ResourceKind::SessionThread,
                id: fetched.value.id.clone(),
                parent_id: Some(session.to_owned()),
            },
            status: Some(fetched.value.status.to_string()),
            created_at: fetched.value.created_at,
            updated_at: fetched.value.updated_at,
            archived_at: fetched.value.archived_at,
        }));
        match page.next_page {
            Some(next) => paging.page = Some(next),
            None => break,
        }
    }
    Ok(threads)
}

/// All credentials of a vault; `None` where the vault is not there.
pub(super) async fn credentials(client: &Client, vault: &str) -> Result<Option<Vec<Listed>>, Error> {
    let kind = ResourceKind::VaultCredential;
    let filter = ResourceFilter {
        paging: Paging { limit: Some(entries(kind)), page: None },
        include_archived: true,
        ..ResourceFilter::default()
    };
    match client.all_resources(kind, Some(vault), &filter, MOST_PAGES).await {
        Ok(page) => Ok(Some(page.items.iter().map(|fetched| listed(&fetched.value, Some(vault))).collect())),
        Err(error) if error.class() == FailureClass::Gone => Ok(None),
        Err(source) => Err(Error::Api { kind, source }),
    }
}

fn listed(resource: &Resource, parent: Option<&str>) -> Listed {
    let parent_id = resource.parent_id.clone().or_else(|| parent.map(str::to_owned));
    Listed {
        resource: ResourceRef { kind: resource.kind, id: resource.id.clone(), parent_id },
        status: resource.status.clone(),
        created_at: resource.created_at,
        updated_at: resource.updated_at,
        archived_at: resource.archived_at,
    }
}
