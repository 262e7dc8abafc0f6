//! Taking events in, many at a time.

use crate::error::Error;
use crate::outbox::Ticket;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{EndpointName, Event, EventKey};
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap};

/// How an event came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// By delivery.
    Webhook,
    /// From a broker message that was accepted while Postgres was away.
    Queue,
    /// By listing the API.
    Reconcile,
}

impl Source {
    /// The name under which the source is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Queue => "queue",
            Self::Reconcile => "reconcile",
        }
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
    /// It is new; its outbox row bears this ticket.
    New(Ticket),
    /// It was known.
    Duplicate,
}

/// A row that has waited this long for its first publish is kicked by a duplicate delivery; younger ones are
/// most likely being published right now.
const UNPUBLISHED_AFTER: TimeDelta = TimeDelta::seconds(1);

/// Stores events with their outbox rows, and counts another delivery of those that are known. All or nothing: the
/// outcomes hold once the caller has committed.
///
/// `publish_due_at` is when the relay takes over what the caller did not get published itself.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn accept_batch(
    tx: &mut PgConnection,
    events: &[NewEvent],
    publish_due_at: DateTime<Utc>,
) -> Result<Vec<Accepted>, Error> {
    // Sorted by key: two batches with the same events then lock them in the same order. The first of several
    // deliveries within the batch is stored, the others are counted.
    let mut by_key: BTreeMap<EventKey, (&NewEvent, i32)> = BTreeMap::new();
    for event in events {
        by_key.entry(event.key()).or_insert((event, 0)).1 += 1;
    }
    let mut columns = Columns::default();
    for (event, deliveries) in by_key.values() {
        columns.push(event, *deliveries);
    }
    let mut new = insert(tx, &columns, publish_due_at).await?;
    let known: Vec<_> = by_key.iter().filter(|(key, _)| !new.contains_key(*key)).collect();
    if let Some((_, (event, _))) = known.first() {
        count_deliveries(tx, &known, event.received_at).await?;
    }
    // The ticket goes to the first delivery of a key, and to that one only.
    Ok(events
        .iter()
        .map(|event| new.remove(&event.key()).map_or(Accepted::Duplicate, Accepted::New))
        .collect())
}

async fn insert(
    tx: &mut PgConnection,
    columns: &Columns<'_>,
    publish_due_at: DateTime<Utc>,
) -> Result<HashMap<EventKey, Ticket>, Error> {
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
        ), queued AS (
            INSERT INTO outbox (event, queue, generation, tries, due_at)
            SELECT id, 'work', 1, 0, $17 FROM new
            RETURNING event, ticket
        )
        SELECT new.endpoint, new.event_id, queued.event, queued.ticket FROM new JOIN queued ON queued.event = new.id
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
    .fetch_all(tx)
    .await
    .map_err(Error::of("store events"))?;
    rows.into_iter()
        .map(|row| {
            let key = crate::events::key(row.event, row.endpoint, row.event_id)?;
            Ok((key, Ticket { event: row.event, number: row.ticket }))
        })
        .collect()
}

async fn count_deliveries(
    tx: &mut PgConnection,
    known: &[(&EventKey, &(&NewEvent, i32))],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let endpoints: Vec<&str> = known.iter().map(|(key, _)| key.endpoint.as_str()).collect();
    let ids: Vec<&str> = known.iter().map(|(key, _)| key.id.as_str()).collect();
    let deliveries: Vec<i32> = known.iter().map(|(_, (_, deliveries))| *deliveries).collect();
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
            RETURNING events.id, events.received_at, events.error_class
        ), unpublished AS (
            SELECT outbox.event FROM outbox JOIN known ON known.id = outbox.event
            WHERE outbox.queue = 'work' AND outbox.tries = 0 AND outbox.due_at > $4 AND known.received_at < $5
                -- An event that failed before waits without tries for budget or for a person, not for its first publish.
                AND known.error_class IS NULL
            ORDER BY outbox.event FOR UPDATE OF outbox
        )
        UPDATE outbox SET due_at = $4 FROM unpublished WHERE outbox.event = unpublished.event
        "#,
        &endpoints as _,
        &ids as _,
        &deliveries,
        now,
        now - UNPUBLISHED_AFTER,
    )
    .execute(tx)
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
