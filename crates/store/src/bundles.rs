//! First publishes: the events of one commit, scheduled together.
//!
//! A fresh event needs no row of its own in the outbox: it is published within milliseconds together with those it was
//! accepted with. Only what fails comes into the outbox, one by one.

use crate::error::Error;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::EventKey;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// A row of first publishes, claimed.
#[derive(Debug)]
pub struct DueBundle {
    /// Its number.
    pub id: i64,
    /// Those of its events that are still to be published for the first time. May be none.
    pub events: Vec<DueEvent>,
}

/// An event that is due for its first publish, with all that a message needs.
#[derive(Debug)]
pub struct DueEvent {
    /// Our number of it.
    pub event: i64,
    /// Which event.
    pub key: EventKey,
    /// The body as it was signed.
    pub payload: Bytes,
    /// The first delivery's content type.
    pub content_type: Option<String>,
    /// When it was first read.
    pub received_at: DateTime<Utc>,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
}

/// Claims up to `limit` bundles that are due at `now`, until `lease_ends`: until then nobody else gets them, and after
/// it they are due again unless they were confirmed.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn claim_bundles(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueBundle>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH due AS (
            SELECT id FROM bundles WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE bundles SET due_at = $2 FROM due WHERE bundles.id = due.id RETURNING bundles.id, bundles.events
        )
        SELECT claimed.id AS bundle, event.id AS "event?", event.endpoint AS "endpoint?", event.event_id AS "event_id?",
            event.payload AS "payload?", event.content_type, event.received_at AS "received_at?", event.traceparent
        FROM claimed
        LEFT JOIN LATERAL (
            -- OFFSET 0: looked up by their numbers whatever the statistics say. After a quiet time they promise few pending
            -- events, and all that have gathered without RabbitMQ would be compared with each bundle.
            SELECT * FROM events WHERE events.id = ANY(claimed.events) OFFSET 0
        ) AS event
            -- Whatever a worker has touched is past its first publish.
            ON event.status = 'pending' AND event.generation = 1 AND event.tries = 0 AND event.error_class IS NULL
        ORDER BY claimed.id, event.id
        "#,
        now,
        lease_ends,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("claim first publishes"))?;
    let mut bundles: BTreeMap<i64, Vec<DueEvent>> = BTreeMap::new();
    for row in rows {
        let events = bundles.entry(row.bundle).or_default();
        let (Some(event), Some(endpoint), Some(event_id), Some(payload), Some(received_at)) =
            (row.event, row.endpoint, row.event_id, row.payload, row.received_at)
        else {
            continue;
        };
        events.push(DueEvent {
            event,
            key: crate::events::key(event, endpoint, event_id)?,
            payload: payload.into(),
            content_type: row.content_type,
            received_at,
            traceparent: row.traceparent,
        });
    }
    Ok(bundles.into_iter().map(|(id, events)| DueBundle { id, events }).collect())
}

/// Removes bundles whose events the broker has confirmed.
///
/// # Errors
/// When Postgres is away or refuses; the events are then published once more, which does no harm.
pub async fn confirm_bundles(connection: &mut PgConnection, bundles: &[i64]) -> Result<(), Error> {
    sqlx::query!("DELETE FROM bundles WHERE id = ANY($1)", bundles)
        .execute(connection)
        .await
        .map_err(Error::of("remove what is published"))?;
    Ok(())
}

/// Leaves in a bundle what was not confirmed, due at `due_at`.
///
/// # Errors
/// When Postgres is away or refuses; all of its events are then published once more, which does no harm.
pub async fn keep_in_bundle(
    connection: &mut PgConnection,
    bundle: i64,
    unconfirmed: &[i64],
    due_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!("UPDATE bundles SET events = $2, due_at = $3 WHERE id = $1", bundle, unconfirmed, due_at)
        .execute(connection)
        .await
        .map_err(Error::of("keep what is not published"))?;
    Ok(())
}
