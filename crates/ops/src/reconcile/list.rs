//! What the API lists, in the words of a comparison.

use super::Error;
use claude::{Client, Paging, SessionFilter, Status};
use domain::reconcile::Listed;
use domain::{FailureClass, ResourceKind, ResourceRef};

/// Entries of a page. Not published for sessions; the other lists give at most so many.
const PAGE: u32 = 100;

/// A page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Listed>,
    pub(super) next: Option<String>,
}

/// One page of a kind, the newest first where the list has an order. `at_work`: only sessions that are not at rest.
pub(super) async fn page(
    client: &Client,
    kind: ResourceKind,
    at_work: bool,
    cursor: Option<&str>,
) -> Result<Page, Error> {
    let paging = Paging { limit: Some(PAGE), page: cursor.map(str::to_owned) };
    let statuses = if at_work { vec![Status::Running, Status::Rescheduling] } else { Vec::new() };
    // A second list has no use for what is archived, which is over.
    let filter = SessionFilter { paging, statuses, include_archived: !at_work, ..SessionFilter::default() };
    let page = client.sessions(&filter).await.map_err(Error::api(kind))?;
    let items = page.items.iter().map(|fetched| session(&fetched.value)).collect();
    Ok(Page { items, next: page.next_page })
}

/// One resource by its id; `None` where it is not there.
pub(super) async fn one(client: &Client, resource: &ResourceRef) -> Result<Option<Listed>, Error> {
    let fetched = client.session(&resource.id).await.map(|fetched| session(&fetched.value));
    match fetched {
        Ok(listed) => Ok(Some(listed)),
        Err(error) if error.class() == FailureClass::Gone => Ok(None),
        Err(source) => Err(Error::Api { kind: resource.kind, source }),
    }
}

/// The threads that others have opened in a session; the primary one, of which no webhook tells, is left out.
pub(super) async fn threads(client: &Client, session: &str) -> Result<Vec<Listed>, Error> {
    let mut threads = Vec::new();
    let mut paging = Paging { limit: Some(PAGE), page: None };
    loop {
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
            // A list that names the page we have read as the next one would have no end.
            Some(next) if paging.page.as_ref() != Some(&next) => paging.page = Some(next),
            Some(_) | None => return Ok(threads),
        }
    }
}

fn session(session: &claude::Session) -> Listed {
    Listed {
        resource: ResourceRef { kind: ResourceKind::Session, id: session.id.clone(), parent_id: None },
        status: Some(session.status.to_string()),
        created_at: session.created_at,
        updated_at: session.updated_at,
        archived_at: session.archived_at,
    }
}
