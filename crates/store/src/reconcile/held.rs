//! What is held of resources, as far as it is compared with the API.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::ResourceKind;
use domain::reconcile::{Held, Owner};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// Among so many of the newest events somebody names the owner of what is listed.
const RECENT: i64 = 1_000;

struct HeldRow {
    resource_id: String,
    snapshot_status: Option<String>,
    snapshot_updated_at: Option<DateTime<Utc>>,
    fetched_at: Option<DateTime<Utc>>,
    deleted: bool,
}

fn by_id(rows: Vec<HeldRow>) -> HashMap<String, Held> {
    let held = rows.into_iter().map(|row| {
        let held = Held {
            status: row.snapshot_status,
            updated_at: row.snapshot_updated_at,
            fetched_at: row.fetched_at,
            deleted: row.deleted,
        };
        (row.resource_id, held)
    });
    held.collect()
}

/// What is held of these resources, by id. What was taken from a payload is not compared with anything.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn held(
    connection: &mut PgConnection,
    kind: ResourceKind,
    ids: &[&str],
) -> Result<HashMap<String, Held>, Error> {
    let rows = sqlx::query_as!(
        HeldRow,
        r#"
        SELECT resource_id, snapshot_status, snapshot_updated_at, fetched_at, deleted_at IS NOT NULL AS "deleted!"
        FROM resources
        WHERE resource_type = $1 AND resource_id = ANY($2)
            AND (last_event_id IS NOT NULL OR snapshot IS NOT NULL)
        "#,
        kind.as_str(),
        ids as _,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("compare resources"))?;
    Ok(by_id(rows))
}

/// What is held of all resources of a kind that belong to `parent`, by id.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn held_children(
    connection: &mut PgConnection,
    kind: ResourceKind,
    parent: &str,
) -> Result<HashMap<String, Held>, Error> {
    let rows = sqlx::query_as!(
        HeldRow,
        r#"
        SELECT resource_id, snapshot_status, snapshot_updated_at, fetched_at, deleted_at IS NOT NULL AS "deleted!"
        FROM resources
        WHERE parent_id = $2 AND resource_type = $1 AND (last_event_id IS NOT NULL OR snapshot IS NOT NULL)
        "#,
        kind.as_str(),
        parent,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("compare what belongs to a resource"))?;
    Ok(by_id(rows))
}

/// The ids of resources that the API has shown to us and that are not deleted, in the order of their ids, after `after`.
/// `unfinished`: only those that are at work as far as we know, and sessions that wait for an answer.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn held_ids(
    connection: &mut PgConnection,
    kind: ResourceKind,
    unfinished: bool,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let failed = Error::of("list what is held");
    if unfinished {
        return sqlx::query_scalar!(
            r#"
            SELECT resource_id AS "id!" FROM resources
            WHERE resource_type = $1 AND resource_id > $2 AND status IN ('running', 'rescheduling', 'started')
                AND snapshot_source = 'api' AND deleted_at IS NULL
            UNION
            SELECT resources.resource_id FROM effects JOIN resources USING (resource_type, resource_id)
            WHERE effects.kind = 'review' AND effects.standing = 'due' AND effects.done_at IS NULL
                AND effects.resource_type = $1 AND effects.resource_id > $2
                AND snapshot_source = 'api' AND deleted_at IS NULL
            ORDER BY 1 LIMIT $3
            "#,
            kind.as_str(),
            after,
            limit,
        )
        .fetch_all(connection)
        .await
        .map_err(failed);
    }
    sqlx::query_scalar!(
        r#"
        SELECT resource_id FROM resources
        WHERE resource_type = $1 AND resource_id > $2 AND snapshot_source = 'api' AND deleted_at IS NULL
        ORDER BY resource_id LIMIT $3
        "#,
        kind.as_str(),
        after,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(failed)
}

/// Which of these resources have events, of their own or of what belongs to them, that are not finished: what they will
/// come to is not stored yet.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn pending_among(
    connection: &mut PgConnection,
    kind: ResourceKind,
    ids: &[&str],
) -> Result<HashSet<String>, Error> {
    // One walk over what is unfinished, whatever the number of resources: it has an index, and its resources have none.
    let rows = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT CASE WHEN resource_type = $1 THEN resource_id ELSE parent_id END AS "id!"
        FROM events
        WHERE status = 'pending' AND source <> 'reply'
            AND ((resource_type = $1 AND resource_id = ANY($2)) OR (resource_type <> $1 AND parent_id = ANY($2)))
        "#,
        kind.as_str(),
        ids as _,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("ask for unfinished events of resources"))?;
    Ok(rows.into_iter().collect())
}

/// Whose resources the API lists to us: what the newest delivered event says of itself. A key sees one workspace.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn owner(connection: &mut PgConnection) -> Result<Owner, Error> {
    let row = sqlx::query!(
        r#"
        SELECT organization_id, workspace_id
        FROM (SELECT id, organization_id, workspace_id, source FROM events ORDER BY id DESC LIMIT $1) AS recent
        WHERE source <> 'reconcile' AND workspace_id IS NOT NULL AND organization_id IS NOT NULL
        ORDER BY id DESC LIMIT 1
        "#,
        RECENT,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("ask for the owner"))?;
    Ok(row.map_or_else(Owner::default, |row| Owner {
        organization_id: row.organization_id,
        workspace_id: row.workspace_id,
    }))
}

/// Resources of which events are dead because they were not there, and of which nothing else is known: neither a snapshot
/// nor a deletion. Only those of workspaces of which the API has shown us resources of the kind. With what they belong to.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn vanished(
    connection: &mut PgConnection,
    kind: ResourceKind,
    limit: i64,
) -> Result<Vec<(String, Option<String>)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT resource_id AS "id!", parent_id FROM events
        WHERE status = 'dead' AND error_class = 'gone' AND resource_type = $1
            AND NOT EXISTS (
                SELECT FROM resources AS known
                WHERE known.resource_type = $1 AND known.resource_id = events.resource_id
                    AND (known.snapshot IS NOT NULL OR known.deleted_at IS NOT NULL))
            AND EXISTS (
                SELECT FROM resources AS shown
                WHERE shown.resource_type = $1 AND shown.workspace_id = events.workspace_id
                    AND shown.snapshot_source = 'api')
        ORDER BY 1 LIMIT $2
        "#,
        kind.as_str(),
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list what was not there"))?;
    Ok(rows.into_iter().map(|row| (row.id, row.parent_id)).collect())
}

/// When the first event happened that was ever accepted; `None` before it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn first_event_at(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>, Error> {
    sqlx::query_scalar!("SELECT created_at FROM events ORDER BY id LIMIT 1")
        .fetch_optional(connection)
        .await
        .map_err(Error::of("ask for the first event"))
}
