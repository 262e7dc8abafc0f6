//! Looking at a resource, once for all events that wait for it.

use super::failure::FailedTry;
use super::fetch::{Depth, fetch};
use super::gate::Pass;
use super::groups::Group;
use super::job::Job;
use super::stored::Stored;
use super::{Context, GroupKey};
use chrono::TimeDelta;
use domain::envelope::payload_data;
use domain::lag::{shows_after, shows_before};
use domain::rules::Fetch;
use domain::{Observation, ResourceKind, ResourceRef, Snapshot, SnapshotSource};
use futures_util::FutureExt;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// A group, and what was seen of its resource.
pub(super) struct Looked {
    pub(super) key: GroupKey,
    pub(super) jobs: Vec<Job>,
    pub(super) seen: Result<Observation, FailedTry>,
}

/// How a look ended.
pub(super) enum Ended {
    /// There is something to write.
    Looked(Looked),
    /// A pause began before anything was asked: the group goes back into the line.
    Paused(Group),
}

/// Our clock and ingest's may differ by so much; a snapshot covers what was received that long before its fetch. More
/// than machines without a time service drift apart in days: too little takes an old state for the new one and nothing
/// mends it, too much costs a fetch.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(10);

/// How long the platform has to show what it has told of, before we look once more. What it shows later still is found by
/// comparing what it lists.
const LAG: Duration = Duration::from_millis(500);

/// How long it may take to read what a resource belongs to.
const PARENT_LIMIT: Duration = Duration::from_secs(5);

/// Looks at the resource of a group. A panic on the way is a failed try of all its events.
pub(super) async fn run(
    context: Arc<Context>,
    group: Group,
    pass: Pass,
    stored: Arc<Stored>,
) -> Option<Ended> {
    let span = group.jobs.first()?.span.clone();
    let seen = AssertUnwindSafe(look(&context, &group, pass, &stored))
        .catch_unwind()
        .instrument(span)
        .await
        .unwrap_or_else(|panic| Some(Err(FailedTry::of_panic(panic.as_ref()))));
    Some(match seen {
        Some(seen) => Ended::Looked(Looked { key: group.key, jobs: group.jobs, seen }),
        None => Ended::Paused(group),
    })
}

/// What is seen of the resource of a group. `None` when a pause began before the API was asked.
async fn look(
    context: &Context,
    group: &Group,
    pass: Pass,
    stored: &Stored,
) -> Option<Result<Observation, FailedTry>> {
    let (resource, depth) = match unasked(group, stored).await {
        ControlFlow::Break(seen) => return Some(Ok(seen)),
        ControlFlow::Continue(question) => question,
    };
    if pass.is_late() {
        return None;
    }
    Some(ask(context, group, pass, &resource, depth).await)
}

/// What is seen without asking the API, or else what it is to be asked.
async fn unasked(group: &Group, stored: &Stored) -> ControlFlow<Observation, (ResourceRef, Depth)> {
    let fetches =
        |fetch: Fetch| group.jobs.iter().any(|job| job.rule().is_some_and(|rule| rule.fetch == fetch));
    // A deletion says it all: there is nothing to fetch for the others of the group either.
    if fetches(Fetch::Nothing) || !(fetches(Fetch::Resource) || fetches(Fetch::ResourceAndCause)) {
        return ControlFlow::Break(Observation::NotFetched);
    }
    let Some(resource) = named_best(group.jobs.iter().filter_map(Job::resource)) else {
        return ControlFlow::Break(Observation::NotFetched);
    };
    let depth = if fetches(Fetch::ResourceAndCause) { Depth::WithCause } else { Depth::Resource };
    if let Some(stored) = stored.of(resource).await {
        if stored.deleted_at.is_some() {
            return ControlFlow::Break(Observation::NotFetched);
        }
        if let Some(snapshot) = stored.snapshot
            && depth == Depth::Resource
            && covers(resource.kind, &snapshot, &group.jobs)
        {
            return ControlFlow::Break(Observation::Found(snapshot));
        }
    }
    ControlFlow::Continue((resource.clone(), depth))
}

async fn ask(
    context: &Context,
    group: &Group,
    pass: Pass,
    resource: &ResourceRef,
    depth: Depth,
) -> Result<Observation, FailedTry> {
    let resource = with_parent(context, resource).await?;
    let seen = {
        let _waiting = context.progress.waiting(format!("the Claude API, {} {}", resource.kind, resource.id));
        let seen = fetch(context, &resource, depth).await;
        if is_behind(group, &seen) {
            tracing::debug!(%resource, "the API shows a state from before the event; looking once more");
            tokio::time::sleep(LAG).await;
            fetch(context, &resource, depth).await
        } else {
            seen
        }
    };
    pass.judge(seen).await
}

/// Whether what was seen contradicts the newest event of the group, and is older.
fn is_behind(group: &Group, seen: &Result<Observation, FailedTry>) -> bool {
    let newest = group.jobs.iter().map(|job| &job.event).max_by_key(|event| event.order());
    matches!((newest, seen), (Some(event), Ok(Observation::Found(snapshot))) if shows_before(event, snapshot))
}

/// The name that says most: older deliveries of an event may lack the id of what the resource belongs to.
pub(super) fn named_best<'a>(
    mut names: impl Iterator<Item = &'a ResourceRef> + Clone,
) -> Option<&'a ResourceRef> {
    names.clone().find(|name| name.parent_id.is_some()).or_else(|| names.next())
}

/// The resource with what it belongs to, where its path needs that: from its events, or from what is stored.
async fn with_parent(context: &Context, resource: &ResourceRef) -> Result<ResourceRef, FailedTry> {
    if resource.parent_id.is_some() || resource.kind.parent().is_none() {
        return Ok(resource.clone());
    }
    let _waiting = context.progress.waiting("Postgres, what a resource belongs to".to_owned());
    let read = async {
        let mut connection = context.store.connection().await?;
        store::parent_of(&mut connection, resource).await
    };
    let parent_id = context
        .store
        .within(PARENT_LIMIT, "read what a resource belongs to", read)
        .await
        .map_err(|error| FailedTry::of_store(&error))?;
    Ok(ResourceRef { parent_id, ..resource.clone() })
}

/// Whether a stored snapshot shows what all these events tell of: it was fetched after they were received, and that is
/// certain, because it was well after it, or because the state that it shows is younger than they are by the platform's clock.
fn covers(kind: ResourceKind, snapshot: &Snapshot, jobs: &[Job]) -> bool {
    let says_why_it_waits = kind != ResourceKind::Session || snapshot.blocking_event_ids().is_some();
    let covered = |job: &Job| {
        let ahead = snapshot.fetched_at - job.message.received_at;
        ahead > CLOCK_SKEW || (ahead > TimeDelta::zero() && shows_after(&job.event, snapshot))
    };
    snapshot.source == SnapshotSource::Api && says_why_it_waits && jobs.iter().all(covered)
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
