//! Resources: their state for workers, their story for people.

use crate::error::{Error, word};
use chrono::{DateTime, Utc};
use domain::{EventId, Order, ResourceKind, ResourceRef, ResourceState, Snapshot, SnapshotSource};
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::HashMap;

struct StateRow {
    resource_type: String,
    resource_id: String,
    snapshot: Option<String>,
    snapshot_source: Option<String>,
    snapshot_status: Option<String>,
    snapshot_updated_at: Option<DateTime<Utc>>,
    fetched_at: Option<DateTime<Utc>>,
    waiting: Option<serde_json::Value>,
    deleted_at: Option<DateTime<Utc>>,
    last_event_created_at: Option<DateTime<Utc>>,
    last_event_rank: Option<i16>,
    last_event_id: Option<String>,
}

/// States by kind and id; resources that are not stored have the default state.
pub type States = HashMap<(ResourceKind, String), ResourceState>;

/// Reads states without locking them, to see what need not be fetched.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn load_states(connection: &mut PgConnection, resources: &[&ResourceRef]) -> Result<States, Error> {
    let (kinds, ids) = names(resources);
    let rows = sqlx::query_as!(
        StateRow,
        r#"
        SELECT resource_type, resource_id, snapshot::text AS snapshot, snapshot_source, snapshot_status,
            snapshot_updated_at, fetched_at, waiting, deleted_at, last_event_created_at, last_event_rank, last_event_id
        FROM resources
        WHERE (resource_type, resource_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        "#,
        &kinds as _,
        &ids as _,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read resources"))?;
    rows.into_iter().map(state).collect()
}

/// What a stored resource belongs to, where an event has named it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn parent_of(
    connection: &mut PgConnection,
    resource: &ResourceRef,
) -> Result<Option<String>, Error> {
    let parent = sqlx::query_scalar!(
        "SELECT parent_id FROM resources WHERE resource_type = $1 AND resource_id = $2",
        resource.kind.as_str(),
        resource.id,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("read what a resource belongs to"))?;
    Ok(parent.flatten())
}

/// Creates the rows that are missing (people see them once an event was decided), locks all of them until the transaction ends, and reads them.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn lock_states(tx: &mut PgConnection, resources: &[&ResourceRef]) -> Result<States, Error> {
    let failed = Error::of("lock resources");
    let mut sorted = resources.to_vec();
    sorted.sort();
    let (kinds, ids) = names(&sorted);
    let parents: Vec<Option<&str>> = sorted.iter().map(|resource| resource.parent_id.as_deref()).collect();
    sqlx::query!(
        r#"
        INSERT INTO resources (resource_type, resource_id, parent_id)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
        ON CONFLICT DO NOTHING
        "#,
        &kinds as _,
        &ids as _,
        &parents as _,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    // ORDER BY: everybody locks in the same order.
    let rows = sqlx::query_as!(
        StateRow,
        r#"
        SELECT resource_type, resource_id, snapshot::text AS snapshot, snapshot_source, snapshot_status,
            snapshot_updated_at, fetched_at, waiting, deleted_at, last_event_created_at, last_event_rank, last_event_id
        FROM resources
        WHERE (resource_type, resource_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        ORDER BY resource_type, resource_id FOR UPDATE
        "#,
        &kinds as _,
        &ids as _,
    )
    .fetch_all(tx)
    .await
    .map_err(&failed)?;
    rows.into_iter().map(state).collect()
}

fn names<'a>(resources: &[&'a ResourceRef]) -> (Vec<&'static str>, Vec<&'a str>) {
    resources.iter().map(|resource| (resource.kind.as_str(), resource.id.as_str())).unzip()
}

fn state(row: StateRow) -> Result<((ResourceKind, String), ResourceState), Error> {
    let name = format!("{} {}", row.resource_type, row.resource_id);
    let kind = word("resources", "resource_type", &name, &row.resource_type)?;
    let last_event = match (row.last_event_created_at, row.last_event_rank, row.last_event_id) {
        (Some(created_at), Some(rank), Some(id)) => Some(Order {
            created_at,
            rank: u8::try_from(rank).unwrap_or(u8::MAX),
            event_id: EventId::new(id.clone()).map_err(|_| Error::Inconsistent {
                table: "resources",
                column: "last_event_id",
                row: name.clone(),
                value: id,
            })?,
        }),
        _ => None,
    };
    let snapshot = match (row.snapshot, row.snapshot_source, row.fetched_at) {
        (Some(body), Some(source), Some(fetched_at)) => Some(Snapshot {
            body,
            status: row.snapshot_status,
            updated_at: row.snapshot_updated_at,
            fetched_at,
            source: if source == SnapshotSource::Api.as_str() {
                SnapshotSource::Api
            } else {
                SnapshotSource::Payload
            },
            waiting: row.waiting.and_then(|waiting| serde_json::from_value(waiting).ok()),
        }),
        _ => None,
    };
    Ok(((kind, row.resource_id), ResourceState { last_event, snapshot, deleted_at: row.deleted_at }))
}

/// A resource's new state, to be written.
#[derive(Debug)]
pub struct NewState<'a> {
    /// The resource. What it belongs to is written where it was not known yet.
    pub resource: &'a ResourceRef,
    /// The workspace that its newest event named.
    pub workspace_id: Option<&'a str>,
    /// The state.
    pub state: &'a ResourceState,
}

/// Writes states of resources whose rows the transaction has locked.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn save_states(tx: &mut PgConnection, states: &[NewState<'_>]) -> Result<(), Error> {
    let snapshot = |new: &NewState<'_>| new.state.snapshot.clone();
    let last = |new: &NewState<'_>| new.state.last_event.clone();
    let kinds: Vec<&str> = states.iter().map(|new| new.resource.kind.as_str()).collect();
    let ids: Vec<&str> = states.iter().map(|new| new.resource.id.as_str()).collect();
    let workspaces: Vec<Option<&str>> = states.iter().map(|new| new.workspace_id).collect();
    let statuses: Vec<Option<&str>> = states.iter().map(|new| new.state.status()).collect();
    let bodies: Vec<Option<String>> = states.iter().map(|new| snapshot(new).map(|s| s.body)).collect();
    let sources: Vec<Option<&str>> =
        states.iter().map(|new| snapshot(new).map(|s| s.source.as_str())).collect();
    let seen: Vec<Option<String>> = states.iter().map(|new| snapshot(new).and_then(|s| s.status)).collect();
    let updated: Vec<Option<DateTime<Utc>>> =
        states.iter().map(|new| snapshot(new).and_then(|s| s.updated_at)).collect();
    let fetched: Vec<Option<DateTime<Utc>>> =
        states.iter().map(|new| snapshot(new).map(|s| s.fetched_at)).collect();
    let waiting: Vec<Option<String>> = states
        .iter()
        .map(|new| {
            snapshot(new).and_then(|s| s.waiting).and_then(|waiting| serde_json::to_string(&waiting).ok())
        })
        .collect();
    let deleted: Vec<Option<DateTime<Utc>>> = states.iter().map(|new| new.state.deleted_at).collect();
    let last_times: Vec<Option<DateTime<Utc>>> =
        states.iter().map(|new| last(new).map(|o| o.created_at)).collect();
    let last_ranks: Vec<Option<i16>> =
        states.iter().map(|new| last(new).map(|o| i16::from(o.rank))).collect();
    // The event that created the row may not have named it.
    let parents: Vec<Option<&str>> = states.iter().map(|new| new.resource.parent_id.as_deref()).collect();
    let last_ids: Vec<Option<String>> =
        states.iter().map(|new| last(new).map(|o| o.event_id.as_str().to_owned())).collect();
    sqlx::query!(
        r#"
        UPDATE resources SET workspace_id = coalesce(new.workspace_id, resources.workspace_id), status = new.status,
            snapshot = new.snapshot::json, snapshot_source = new.snapshot_source,
            snapshot_status = new.snapshot_status, snapshot_updated_at = new.snapshot_updated_at,
            fetched_at = new.fetched_at, waiting = new.waiting::json, deleted_at = new.deleted_at,
            last_event_created_at = new.last_created_at, last_event_rank = new.last_rank,
            last_event_id = new.last_id, parent_id = coalesce(resources.parent_id, new.parent_id)
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::timestamptz[], $9::timestamptz[], $10::text[], $11::timestamptz[], $12::timestamptz[],
                $13::smallint[], $14::text[], $15::text[])
            AS new (resource_type, resource_id, workspace_id, status, snapshot, snapshot_source, snapshot_status,
                snapshot_updated_at, fetched_at, waiting, deleted_at, last_created_at, last_rank, last_id, parent_id)
        WHERE resources.resource_type = new.resource_type AND resources.resource_id = new.resource_id
        "#,
        &kinds as _,
        &ids as _,
        &workspaces as _,
        &statuses as _,
        &bodies as _,
        &sources as _,
        &seen as _,
        &updated as _,
        &fetched as _,
        &waiting as _,
        &deleted as _,
        &last_times as _,
        &last_ranks as _,
        &last_ids as _,
        &parents as _,
    )
    .execute(tx)
    .await
    .map_err(Error::of("write resources"))?;
    Ok(())
}

/// One line of a list.
#[derive(Debug, Clone, Serialize)]
pub struct ResourceRow {
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// What it belongs to.
    pub parent_id: Option<String>,
    /// The workspace it is in.
    pub workspace_id: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// When the newest snapshot was taken.
    pub fetched_at: Option<DateTime<Utc>>,
    /// When its newest event happened.
    pub last_event_at: Option<DateTime<Utc>>,
    /// Its newest event.
    pub last_event: Option<String>,
}

/// Which resources to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceFilter {
    /// What they are.
    pub kind: Option<ResourceKind>,
    /// Their status.
    pub status: Option<String>,
    /// How many at most.
    pub limit: i64,
}

/// The resources that match, those with the newest events first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn list_resources(
    connection: &mut PgConnection,
    filter: &ResourceFilter,
) -> Result<Vec<ResourceRow>, Error> {
    sqlx::query_as!(
        ResourceRow,
        r#"
        SELECT resource_type, resource_id AS id, parent_id, workspace_id, status, fetched_at,
            last_event_created_at AS last_event_at, last_event_id AS last_event
        FROM resources
        WHERE (last_event_id IS NOT NULL OR snapshot IS NOT NULL)
            AND ($1::text IS NULL OR resource_type = $1) AND ($2::text IS NULL OR status = $2)
        ORDER BY last_event_created_at DESC NULLS LAST, resource_type, resource_id LIMIT $3
        "#,
        filter.kind.map(ResourceKind::as_str),
        filter.status,
        filter.limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list resources"))
}

/// What is known of one resource.
#[derive(Debug, Clone)]
pub struct ResourceDetail {
    /// The list's line.
    pub row: ResourceRow,
    /// The newest snapshot, as it came.
    pub snapshot: Option<String>,
    /// Where it came from.
    pub snapshot_source: Option<String>,
    /// Why the session waits.
    pub waiting: Option<serde_json::Value>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// One resource.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn find_resource(
    connection: &mut PgConnection,
    kind: &str,
    id: &str,
) -> Result<Option<ResourceDetail>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT resource_type, resource_id, parent_id, workspace_id, status, fetched_at, last_event_created_at,
            last_event_id, snapshot::text AS snapshot, snapshot_source, waiting, deleted_at
        FROM resources WHERE resource_type = $1 AND resource_id = $2 AND (last_event_id IS NOT NULL OR snapshot IS NOT NULL)
        "#,
        kind,
        id,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("find a resource"))?;
    Ok(row.map(|row| ResourceDetail {
        row: ResourceRow {
            resource_type: row.resource_type,
            id: row.resource_id,
            parent_id: row.parent_id,
            workspace_id: row.workspace_id,
            status: row.status,
            fetched_at: row.fetched_at,
            last_event_at: row.last_event_created_at,
            last_event: row.last_event_id,
        },
        snapshot: row.snapshot,
        snapshot_source: row.snapshot_source,
        waiting: row.waiting,
        deleted_at: row.deleted_at,
    }))
}
