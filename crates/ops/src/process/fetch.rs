//! Fetching a resource of whatever kind, and what is worth knowing beside it.

use super::Context;
use super::failure::FailedTry;
use chrono::{DateTime, Utc};
use claude::{EventFilter, Fetched, Order, Paging, Resource, SessionEvent};
use domain::{
    Explanation, FailureClass, Idle, Observation, ResourceKind, ResourceRef, Snapshot, SnapshotSource,
    Waiting,
};

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The resource, and for an idle session the reason why it waits.
    Resource,
    /// Besides that, what may explain an event that alerts.
    WithCause,
}

/// How many of a session's idle events are looked at to find the one that an event tells of.
const IDLES: u32 = 20;

const IDLE_EVENT: &str = "session.status_idle";

/// Looks at a resource now.
pub(super) async fn fetch(
    context: &Context,
    resource: &ResourceRef,
    depth: Depth,
) -> Result<Observation, FailedTry> {
    let fetched_at = context.clock.now();
    match seen(&context.claude, resource, depth, fetched_at).await {
        Ok(observation) => Ok(observation),
        // Whether that is an answer or a failure depends on what is stored: `decide` knows.
        Err(error) if error.class() == FailureClass::Gone => Ok(Observation::Gone),
        Err(error) => Err(FailedTry::of_api(&error)),
    }
}

async fn seen(
    claude: &claude::Client,
    resource: &ResourceRef,
    depth: Depth,
    fetched_at: DateTime<Utc>,
) -> Result<Observation, claude::Error> {
    let fetched = claude.resource(resource).await?;
    match resource.kind {
        ResourceKind::Session => session(claude, &fetched, depth, fetched_at).await,
        ResourceKind::VaultCredential if depth == Depth::WithCause => {
            let note = probe(claude, resource, &fetched.value).await?;
            let explanation = Explanation { note, ..Explanation::default() };
            Ok(Observation::Explained(snapshot(&fetched, fetched_at, None), explanation))
        }
        ResourceKind::SessionThread
        | ResourceKind::Vault
        | ResourceKind::VaultCredential
        | ResourceKind::Agent
        | ResourceKind::Deployment
        | ResourceKind::DeploymentRun
        | ResourceKind::Environment
        | ResourceKind::MemoryStore
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile
        | ResourceKind::Message => Ok(Observation::Found(snapshot(&fetched, fetched_at, None))),
    }
}

/// A session with the reason why it waits: only its last idle event says it.
async fn session(
    claude: &claude::Client,
    fetched: &Fetched<Resource>,
    depth: Depth,
    fetched_at: DateTime<Utc>,
) -> Result<Observation, claude::Error> {
    let is_idle = fetched.value.status.as_deref() == Some("idle");
    let limit = match depth {
        Depth::Resource if !is_idle => return Ok(Observation::Found(snapshot(fetched, fetched_at, None))),
        Depth::Resource => 1,
        Depth::WithCause => IDLES,
    };
    let idles = idle_events(claude, &fetched.value.id, limit).await?;
    let waiting = idles.as_deref().and_then(|idles| if is_idle { waiting(idles.first()) } else { None });
    let snapshot = snapshot(fetched, fetched_at, waiting);
    Ok(match depth {
        Depth::Resource => Observation::Found(snapshot),
        Depth::WithCause => {
            let idles = idles.unwrap_or_default().iter().filter_map(idle).collect();
            Observation::Explained(snapshot, Explanation { idles, note: None })
        }
    })
}

/// The last idle events of a session, the newest first. `None` when its events cannot be found (any more).
async fn idle_events(
    claude: &claude::Client,
    session: &str,
    limit: u32,
) -> Result<Option<Vec<SessionEvent>>, claude::Error> {
    let filter = EventFilter {
        paging: Paging { limit: Some(limit), page: None },
        order: Some(Order::Descending),
        types: vec![IDLE_EVENT.to_owned()],
        ..EventFilter::default()
    };
    match claude.session_events(session, &filter).await {
        Ok(page) => {
            let events = page.items.into_iter().map(|event| event.value);
            Ok(Some(events.filter(|event| event.kind == IDLE_EVENT).collect()))
        }
        Err(error) if error.class() == FailureClass::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a session waits for, by its last idle event. One without such an event waits for its first message; one whose
/// idle event gives no reason waits for reasons unknown.
fn waiting(last: Option<&SessionEvent>) -> Option<Waiting> {
    let Some(last) = last else {
        return Some(Waiting {
            event_id: String::new(),
            reason: "none".to_owned(),
            blocking_event_ids: Vec::new(),
        });
    };
    last.stop_reason().map(|reason| Waiting {
        event_id: last.id.clone(),
        reason: reason.kind.to_string(),
        blocking_event_ids: reason.event_ids,
    })
}

fn idle(event: &SessionEvent) -> Option<Idle> {
    Some(Idle {
        event_id: event.id.clone(),
        reason: event.stop_reason()?.kind.to_string(),
        at: event.processed_at?,
    })
}

/// Tries a credential out, since its object does not say whether it works. An archived one has no secret left, and a kind
/// of credential that cannot be tried out is refused: both are answers, too.
async fn probe(
    claude: &claude::Client,
    credential: &ResourceRef,
    seen: &Resource,
) -> Result<Option<String>, claude::Error> {
    let Some(vault) = credential.parent_id.as_deref().filter(|_| seen.archived_at.is_none()) else {
        return Ok(None);
    };
    match claude.validate_credential(vault, &credential.id).await {
        Ok(validation) => Ok(Some(validation.value.to_string())),
        Err(error) => match error.class() {
            FailureClass::Gone | FailureClass::Permanent => Ok(Some(error.to_string())),
            FailureClass::Transient
            | FailureClass::Throttled
            | FailureClass::Configuration
            | FailureClass::Bug => Err(error),
        },
    }
}

fn snapshot(fetched: &Fetched<Resource>, fetched_at: DateTime<Utc>, waiting: Option<Waiting>) -> Snapshot {
    Snapshot {
        body: fetched.raw.get().to_owned(),
        status: fetched.value.status.clone(),
        updated_at: fetched.value.updated_at,
        fetched_at,
        source: SnapshotSource::Api,
        waiting,
    }
}
