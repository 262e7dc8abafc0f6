//! Taking events in, many at a time.

use crate::error::Error;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{EndpointName, Event, EventKey};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::str::FromStr;

/// How an event came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// By delivery.
    Webhook,
    /// From a broker message that was accepted while Postgres was away.
    Queue,
    /// By listing the API.
    Reconcile,
    /// From ourselves: a decision that is to be posted to the API.
    Reply,
}

impl Source {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Queue, Self::Reconcile, Self::Reply];

    /// The name under which the source is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Queue => "queue",
            Self::Reconcile => "reconcile",
            Self::Reply => "reply",
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|source| source.as_str() == text);
        known.ok_or_else(|| format!("unknown source {text:?}, expected webhook, queue, reconcile or reply"))
    }
}

/// An event that was verified and parsed, to be stored.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The endpoint that received it.
    pub endpoint: EndpointName,
    /// What the envelope says.
    pub event: Event,
    /// How it came.
    pub source: Source,
    /// When it was read.
    pub received_at: DateTime<Utc>,
    /// The body as it was signed.
    pub payload: Bytes,
    /// The delivery's content type.
    pub content_type: Option<String>,
    /// The trace that the delivery began.
    pub traceparent: Option<String>,
}

impl NewEvent {
    /// What makes it one event.
    #[must_use]
    pub fn key(&self) -> EventKey {
        EventKey { endpoint: self.endpoint.clone(), id: self.event.id.clone() }
    }
}

/// What became of one of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is new; our number of it.
    New(i64),
    /// It was known.
    Duplicate,
}

/// What became of a batch.
#[derive(Debug)]
pub struct AcceptedBatch {
    /// The outcomes, in the order of the events.
    pub outcomes: Vec<Accepted>,
    /// The bundle that schedules the first publish of those that are new.
    pub bundle: Option<i64>,
}

/// A row that has waited this long for its first publish is kicked by a duplicate delivery; younger ones are
/// most likely being published right now.
const UNPUBLISHED_AFTER: TimeDelta = TimeDelta::seconds(1);

/// Stores events together with the schedule of their first publish, and counts another delivery of those that are
/// known. One statement stores everything that is new, so that without duplicates no transaction is needed around it.
///
/// `publish_due_at` is when the relay takes over what the caller did not get published itself; `None` schedules nothing,
/// for a caller that decides the events in the same transaction.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn accept_batch(
    connection: &mut PgConnection,
    events: &[NewEvent],
    publish_due_at: Option<DateTime<Utc>>,
) -> Result<AcceptedBatch, Error> {
    let first = first_deliveries(events);
    let Inserted { mut new, bundle } = insert(connection, &Columns::of(&first), publish_due_at).await?;
    if new.len() < first.len() {
        let known: Vec<_> =
            first.iter().copied().filter(|(event, _)| !new.contains_key(&key(event))).collect();
        count_deliveries(connection, &known).await?;
    }
    // The number goes to the first delivery of a key, and to that one only.
    let outcome = |event| new.remove(&key(event)).map_or(Accepted::Duplicate, Accepted::New);
    Ok(AcceptedBatch { outcomes: events.iter().map(outcome).collect(), bundle })
}

/// Stores those of the events that are not known, and schedules nothing: their messages are in the queue. Of those that
/// are known, nothing is counted, because somebody else stored this very delivery.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn store_missing(connection: &mut PgConnection, events: &[NewEvent]) -> Result<(), Error> {
    let first = first_deliveries(events);
    insert(connection, &Columns::of(&first), None).await?;
    Ok(())
}

/// The first delivery of each event, and how many there are. Sorted by key: two batches with the same events then lock them
/// in the same order.
fn first_deliveries(events: &[NewEvent]) -> Vec<(&NewEvent, i32)> {
    let mut first: Vec<(&NewEvent, i32)> = events.iter().map(|event| (event, 1)).collect();
    first.sort_by(|(one, _), (other, _)| key(one).cmp(&key(other)));
    first.dedup_by(|(again, deliveries), (kept, total)| {
        let same = key(again) == key(kept);
        if same {
            *total += *deliveries;
        }
        same
    });
    first
}

/// What makes it one event, without copies.
fn key(event: &NewEvent) -> (&str, &str) {
    (event.event.id.as_str(), event.endpoint.as_str())
}

struct Inserted<'a> {
    new: HashMap<(&'a str, &'a str), i64>,
    bundle: Option<i64>,
}

async fn insert<'a>(
    connection: &mut PgConnection,
    columns: &Columns<'a>,
    publish_due_at: Option<DateTime<Utc>>,
) -> Result<Inserted<'a>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH new AS (
            INSERT INTO events (endpoint, event_id, event_type, dialect, source, resource_type, resource_id,
                parent_id, organization_id, workspace_id, created_at, received_at, payload, content_type,
                traceparent, deliveries)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[],
                $13::bytea[], $14::text[], $15::text[], $16::integer[])
            ON CONFLICT ON CONSTRAINT events_endpoint_event_id_key DO NOTHING
            RETURNING id, endpoint, event_id
        ), bundle AS (
            INSERT INTO bundles (events, due_at)
            SELECT array_agg(id), $17 FROM new WHERE $17::timestamptz IS NOT NULL HAVING count(*) > 0
            RETURNING id
        )
        SELECT new.id, new.endpoint, new.event_id, bundle.id AS "bundle?" FROM new LEFT JOIN bundle ON true
        "#,
        &columns.endpoint as _,
        &columns.event_id as _,
        &columns.event_type as _,
        &columns.dialect as _,
        &columns.source as _,
        &columns.resource_type as _,
        &columns.resource_id as _,
        &columns.parent_id as _,
        &columns.organization_id as _,
        &columns.workspace_id as _,
        &columns.created_at,
        &columns.received_at,
        &columns.payload as _,
        &columns.content_type as _,
        &columns.traceparent as _,
        &columns.deliveries,
        publish_due_at,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("store events"))?;
    let bundle = rows.first().and_then(|row| row.bundle);
    let ids: HashMap<(&str, &str), i64> =
        rows.iter().map(|row| ((row.event_id.as_str(), row.endpoint.as_str()), row.id)).collect();
    let ours = columns.event_id.iter().copied().zip(columns.endpoint.iter().copied());
    let new = ours.filter_map(|key| Some((key, *ids.get(&key)?))).collect();
    Ok(Inserted { new, bundle })
}

async fn count_deliveries(connection: &mut PgConnection, known: &[(&NewEvent, i32)]) -> Result<(), Error> {
    let Some(now) = known.first().map(|(event, _)| event.received_at) else { return Ok(()) };
    let endpoints: Vec<&str> = known.iter().map(|(event, _)| event.endpoint.as_str()).collect();
    let ids: Vec<&str> = known.iter().map(|(event, _)| event.event.id.as_str()).collect();
    let deliveries: Vec<i32> = known.iter().map(|(_, deliveries)| *deliveries).collect();
    sqlx::query!(
        r#"
        WITH locked AS (
            -- ORDER BY id: everybody locks in the same order.
            SELECT events.id, again.deliveries
            FROM unnest($1::text[], $2::text[], $3::integer[]) AS again (endpoint, event_id, deliveries)
            JOIN events ON events.endpoint = again.endpoint AND events.event_id = again.event_id
            ORDER BY events.id FOR UPDATE OF events
        ), known AS (
            UPDATE events SET deliveries = events.deliveries + locked.deliveries
            FROM locked WHERE events.id = locked.id
            RETURNING events.id, events.received_at, events.status
        ), unpublished AS (
            -- Still in a bundle: its first publish was never confirmed. Claimed ones are being published right now.
            SELECT bundles.id FROM bundles
            WHERE bundles.due_at > $4
                AND bundles.events && (SELECT array_agg(known.id) FROM known
                    WHERE known.status = 'pending' AND known.received_at < $5)
            ORDER BY bundles.id FOR UPDATE OF bundles SKIP LOCKED
        )
        UPDATE bundles SET due_at = $4 FROM unpublished WHERE bundles.id = unpublished.id
        "#,
        &endpoints as _,
        &ids as _,
        &deliveries,
        now,
        now - UNPUBLISHED_AFTER,
    )
    .execute(connection)
    .await
    .map_err(Error::of("count another delivery"))?;
    Ok(())
}

/// One array per column, as the statement takes them.
#[derive(Default)]
struct Columns<'a> {
    endpoint: Vec<&'a str>,
    event_id: Vec<&'a str>,
    event_type: Vec<&'a str>,
    dialect: Vec<&'static str>,
    source: Vec<&'static str>,
    resource_type: Vec<Option<&'static str>>,
    resource_id: Vec<Option<&'a str>>,
    parent_id: Vec<Option<&'a str>>,
    organization_id: Vec<Option<&'a str>>,
    workspace_id: Vec<Option<&'a str>>,
    created_at: Vec<DateTime<Utc>>,
    received_at: Vec<DateTime<Utc>>,
    payload: Vec<&'a [u8]>,
    content_type: Vec<Option<&'a str>>,
    traceparent: Vec<Option<&'a str>>,
    deliveries: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn of(first: &[(&'a NewEvent, i32)]) -> Self {
        let mut columns = Self::default();
        for (event, deliveries) in first {
            columns.push(event, *deliveries);
        }
        columns
    }

    fn push(&mut self, new: &'a NewEvent, deliveries: i32) {
        let resource = new.event.resource.as_ref();
        self.endpoint.push(new.endpoint.as_str());
        self.event_id.push(new.event.id.as_str());
        self.event_type.push(new.event.event_type.as_str());
        self.dialect.push(new.event.dialect.as_str());
        self.source.push(new.source.as_str());
        self.resource_type.push(resource.map(|resource| resource.kind.as_str()));
        self.resource_id.push(resource.map(|resource| resource.id.as_str()));
        self.parent_id.push(resource.and_then(|resource| resource.parent_id.as_deref()));
        self.organization_id.push(new.event.organization_id.as_deref());
        self.workspace_id.push(new.event.workspace_id.as_deref());
        self.created_at.push(new.event.created_at);
        self.received_at.push(new.received_at);
        self.payload.push(&new.payload);
        self.content_type.push(new.content_type.as_deref());
        self.traceparent.push(new.traceparent.as_deref());
        self.deliveries.push(deliveries);
    }
}
