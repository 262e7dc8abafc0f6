//! Looking at a resource, once for all events that wait for it.

use super::failure::FailedTry;
use super::gate::Pass;
use super::groups::Group;
use super::job::Job;
use super::{Context, GroupKey};
use chrono::{DateTime, TimeDelta, Utc};
use claude::{EventFilter, Fetched, Order, Paging, Status};
use domain::envelope::payload_data;
use domain::rules::Fetch;
use domain::{
    FailureClass, Observation, ResourceKind, ResourceRef, ResourceState, Snapshot, SnapshotSource, Waiting,
};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use store::States;
use tokio::sync::OnceCell;
use tracing::Instrument;

/// A group, and what was seen of its resource.
pub(super) struct Looked {
    pub(super) key: GroupKey,
    pub(super) jobs: Vec<Job>,
    pub(super) seen: Result<Observation, FailedTry>,
}

/// Our clock and ingest's may differ by so much; a snapshot covers what was received that long before its fetch. More
/// than machines without a time service drift apart in days: too little takes an old state for the new one and nothing
/// mends it, too much costs a fetch.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(10);

/// How long reading a stored state may take; without it the state is fetched.
const STATE_LIMIT: Duration = Duration::from_secs(5);

/// Looks at the resource of a group. A panic on the way is a failed try of all its events.
pub(super) async fn run(
    context: Arc<Context>,
    group: Group,
    pass: Pass,
    stored: Arc<Stored>,
) -> Option<Looked> {
    let span = group.jobs.first()?.span.clone();
    let seen = AssertUnwindSafe(look(&context, &group, pass, &stored))
        .catch_unwind()
        .instrument(span)
        .await
        .unwrap_or_else(|panic| Err(FailedTry::of_panic(panic.as_ref())));
    Some(Looked { key: group.key, jobs: group.jobs, seen })
}

async fn look(
    context: &Context,
    group: &Group,
    pass: Pass,
    stored: &Stored,
) -> Result<Observation, FailedTry> {
    let fetches =
        |fetch: Fetch| group.jobs.iter().any(|job| job.rule().is_some_and(|rule| rule.fetch == fetch));
    // A deletion says it all: there is nothing to fetch for the others of the group either.
    if !fetches(Fetch::Resource) || fetches(Fetch::Nothing) {
        return Ok(Observation::NotFetched);
    }
    let Some(resource) = group.jobs.first().and_then(Job::resource) else {
        return Ok(Observation::NotFetched);
    };
    if let Some(stored) = stored.of(context, resource).await {
        if stored.deleted_at.is_some() {
            return Ok(Observation::NotFetched);
        }
        let newest = group.jobs.iter().map(|job| job.message.received_at).max();
        if let (Some(snapshot), Some(newest)) = (&stored.snapshot, newest)
            && covers(snapshot, newest)
        {
            return Ok(Observation::Found(snapshot.clone()));
        }
    }
    let seen = {
        let _waiting = context.progress.waiting(format!("the Claude API, {} {}", resource.kind, resource.id));
        fetch(context, resource).await
    };
    pass.judge(seen).await
}

/// Whether a stored snapshot shows what an event received at `received_at` tells of.
fn covers(snapshot: &Snapshot, received_at: DateTime<Utc>) -> bool {
    snapshot.source == SnapshotSource::Api
        && snapshot.blocking_event_ids().is_some()
        && snapshot.fetched_at > received_at + CLOCK_SKEW
}

/// What is stored of the resources of groups that begin together, read once for all of them by whichever needs it first.
pub(super) struct Stored {
    resources: Vec<ResourceRef>,
    states: OnceCell<States>,
}

impl Stored {
    pub(super) fn of_all<'a>(groups: impl Iterator<Item = &'a Group>) -> Arc<Self> {
        let resources = groups.filter_map(|group| group.jobs.first()?.resource().cloned()).collect();
        Arc::new(Self { resources, states: OnceCell::new() })
    }

    /// Without an answer everything is fetched: slower, and as right.
    async fn of(&self, context: &Context, resource: &ResourceRef) -> Option<&ResourceState> {
        let states = self.states.get_or_init(|| self.read(context)).await;
        states.get(&(resource.kind, resource.id.clone()))
    }

    async fn read(&self, context: &Context) -> States {
        let _waiting = context.progress.waiting("Postgres, stored states".to_owned());
        let resources: Vec<&ResourceRef> = self.resources.iter().collect();
        let read = async {
            let mut connection = context.store.connection().await?;
            store::load_states(&mut connection, &resources).await
        };
        match context.store.within(STATE_LIMIT, "read states", read).await {
            Ok(states) => states,
            Err(error) => {
                tracing::debug!(error = %telemetry::Chain(&error), "stored states not read; fetching");
                States::default()
            }
        }
    }
}

async fn fetch(context: &Context, resource: &ResourceRef) -> Result<Observation, FailedTry> {
    let fetched_at = context.clock.now();
    let found = match resource.kind {
        ResourceKind::Session => session(context, resource, fetched_at).await,
        ResourceKind::SessionThread => thread(context, resource, fetched_at).await,
        ResourceKind::Vault
        | ResourceKind::VaultCredential
        | ResourceKind::Agent
        | ResourceKind::Deployment
        | ResourceKind::DeploymentRun
        | ResourceKind::Environment
        | ResourceKind::MemoryStore
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile
        | ResourceKind::Message => return Ok(Observation::NotFetched),
    };
    match found {
        Ok(snapshot) => Ok(Observation::Found(snapshot)),
        // Whether that is an answer or a failure depends on what is stored: `decide` knows.
        Err(error) if error.class() == FailureClass::Gone => Ok(Observation::Gone),
        Err(error) => Err(FailedTry::of_api(&error)),
    }
}

async fn session(
    context: &Context,
    resource: &ResourceRef,
    fetched_at: DateTime<Utc>,
) -> Result<Snapshot, claude::Error> {
    let session = context.claude.session(&resource.id).await?;
    let waiting =
        if session.value.status == Status::Idle { waiting(context, &resource.id).await? } else { None };
    let (status, updated_at) = (session.value.status.to_string(), session.value.updated_at);
    Ok(snapshot(&session, status, updated_at, fetched_at, waiting))
}

/// Why an idle session waits: only its last idle event says it. A session without such an event waits for its first
/// message; one whose events cannot be found (any more) waits for reasons unknown.
async fn waiting(context: &Context, session: &str) -> Result<Option<Waiting>, claude::Error> {
    let filter = EventFilter {
        paging: Paging { limit: Some(1), page: None },
        order: Some(Order::Descending),
        types: vec!["session.status_idle".to_owned()],
        ..EventFilter::default()
    };
    let page = match context.claude.session_events(session, &filter).await {
        Ok(page) => page,
        Err(error) if error.class() == FailureClass::Gone => return Ok(None),
        Err(error) => return Err(error),
    };
    let idle = page.items.into_iter().find(|event| event.value.kind == "session.status_idle");
    let Some(idle) = idle else {
        return Ok(Some(Waiting {
            event_id: String::new(),
            reason: "none".to_owned(),
            blocking_event_ids: Vec::new(),
        }));
    };
    Ok(idle.value.stop_reason().map(|reason| Waiting {
        event_id: idle.value.id.clone(),
        reason: reason.kind.to_string(),
        blocking_event_ids: reason.event_ids,
    }))
}

async fn thread(
    context: &Context,
    resource: &ResourceRef,
    fetched_at: DateTime<Utc>,
) -> Result<Snapshot, claude::Error> {
    let session = resource.parent_id.as_deref().unwrap_or_default();
    let thread = context.claude.thread(session, &resource.id).await?;
    let (status, updated_at) = (thread.value.status.to_string(), thread.value.updated_at);
    Ok(snapshot(&thread, status, updated_at, fetched_at, None))
}

fn snapshot<T>(
    fetched: &Fetched<T>,
    status: String,
    updated_at: Option<DateTime<Utc>>,
    fetched_at: DateTime<Utc>,
    waiting: Option<Waiting>,
) -> Snapshot {
    Snapshot {
        body: fetched.raw.get().to_owned(),
        status: Some(status),
        updated_at,
        fetched_at,
        source: SnapshotSource::Api,
        waiting,
    }
}

/// What a classic event shows: its own details, marked as such.
pub(super) fn payload_snapshot(job: &Job) -> Option<Snapshot> {
    let body = payload_data(&job.message.payload)?;
    let (_, verb) = job.event.event_type.as_str().rsplit_once('.')?;
    Some(Snapshot {
        body,
        status: Some(verb.to_owned()),
        updated_at: Some(job.event.created_at),
        fetched_at: job.message.received_at,
        source: SnapshotSource::Payload,
        waiting: None,
    })
}
