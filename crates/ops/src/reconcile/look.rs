//! Looking into a session: its own list of events tells what should have been told to us.

use super::accept::Found;
use super::compare::Comparison;
use super::{Error, list};
use chrono::{DateTime, Utc};
use claude::{EventFilter, Order, Paging, SessionEvent, TimeRange};
use domain::gaps::{Entry, TOLERANCE, TRANSITIONS, Transition, fill};
use domain::reconcile::{Listed, id_of_transition};
use domain::{FailureClass, ResourceKind};

/// Events of a page of a session's list.
const PAGE: u32 = 1_000;

/// Pages of one session that are read at most: the newest transitions of a session with more are left to a later look.
const MOST_PAGES: u32 = 20;

/// What a look has shown.
pub(super) struct Looked {
    /// What should have been delivered, oldest first.
    pub(super) lost: Vec<Found>,
    /// The threads that were opened in the session, where it has any.
    pub(super) threads: Vec<Listed>,
}

/// Looks into a session from `window` on (`None`: from its beginning), given what stands in its history and in those of its
/// threads. One that is gone meanwhile shows nothing.
pub(super) async fn into(
    comparison: &Comparison<'_>,
    session: &str,
    history: &[Entry],
    window: Option<DateTime<Utc>>,
) -> Result<Looked, Error> {
    let client = &comparison.reconciler.claude;
    let listed = transitions(client, session, window).await?;
    let lost = lost(session, history, &listed, window, comparison.until);
    let has_threads = history.iter().any(|entry| entry.thread.is_some())
        || listed.iter().any(|transition| transition.kind == "session.thread_created");
    let threads = if has_threads { list::threads(client, session).await? } else { Vec::new() };
    Ok(Looked { lost, threads })
}

/// What should have been delivered between `window` and `until`.
pub(super) fn lost(
    session: &str,
    history: &[Entry],
    listed: &[Transition],
    window: Option<DateTime<Utc>>,
    until: DateTime<Utc>,
) -> Vec<Found> {
    let within = |at| window.is_none_or(|window| at >= window) && at <= until;
    let lost = fill(session, history, listed).into_iter().filter(|lost| within(lost.at));
    lost.map(|lost| Found {
        id: id_of_transition(&lost.resource, lost.event_type, &lost.listed),
        resource: lost.resource,
        event_type: lost.event_type,
        at: lost.at,
    })
    .collect()
}

/// The transitions of a session since `window`, oldest first.
pub(super) async fn transitions(
    client: &claude::Client,
    session: &str,
    window: Option<DateTime<Utc>>,
) -> Result<Vec<Transition>, Error> {
    let filter = EventFilter {
        paging: Paging { limit: Some(PAGE), page: None },
        order: Some(Order::Ascending),
        types: TRANSITIONS.iter().map(|kind| (*kind).to_owned()).collect(),
        created_at: TimeRange { gte: window.map(|window| window - TOLERANCE), ..TimeRange::default() },
    };
    match client.all_session_events(session, &filter, MOST_PAGES).await {
        Ok(page) => Ok(page.items.iter().filter_map(|fetched| transition(&fetched.value)).collect()),
        Err(error) if error.class() == FailureClass::Gone => Ok(Vec::new()),
        Err(source) => Err(Error::Api { kind: ResourceKind::Session, source }),
    }
}

/// An event that is queued has not taken place.
fn transition(event: &SessionEvent) -> Option<Transition> {
    Some(Transition {
        id: event.id.clone(),
        kind: event.kind.clone(),
        thread: event.session_thread_id().map(str::to_owned),
        at: event.processed_at?,
        stop_reason: event.stop_reason().map(|reason| reason.kind.to_string()),
        changes_budget: event.member("budget").is_some(),
    })
}
