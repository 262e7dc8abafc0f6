//! What stands in the histories of sessions and their threads.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::gaps::Entry;
use sqlx::PgConnection;
use std::collections::HashMap;

struct EntryRow {
    session: String,
    resource_type: String,
    resource_id: String,
    event_type: String,
    created_at: DateTime<Utc>,
}

fn by_session(rows: Vec<EntryRow>) -> HashMap<String, Vec<Entry>> {
    let mut histories: HashMap<String, Vec<Entry>> = HashMap::new();
    for row in rows {
        let thread = (row.resource_type == "session_thread").then_some(row.resource_id);
        let entry = Entry { event_type: row.event_type, thread, created_at: row.created_at };
        histories.entry(row.session).or_default().push(entry);
    }
    histories
}

/// The events of these sessions and of their threads that happened at or after `since`, oldest first, by session.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn histories(
    connection: &mut PgConnection,
    sessions: &[&str],
    since: Option<DateTime<Utc>>,
) -> Result<HashMap<String, Vec<Entry>>, Error> {
    // A thread's history is found by the thread, and the thread by its session.
    let rows = sqlx::query_as!(
        EntryRow,
        r#"
        WITH named AS (
            SELECT 'session' AS resource_type, id AS resource_id, id AS session FROM unnest($1::text[]) AS given (id)
            UNION ALL
            SELECT resource_type, resource_id, parent_id FROM resources
            WHERE parent_id = ANY($1) AND resource_type = 'session_thread'
        )
        SELECT named.session AS "session!", named.resource_type AS "resource_type!", history.resource_id,
            history.event_type, history.created_at
        FROM named JOIN resource_history AS history USING (resource_type, resource_id)
        WHERE $2::timestamptz IS NULL OR history.created_at >= $2
        ORDER BY history.created_at, history.rank, history.event_id COLLATE "C"
        "#,
        sessions as _,
        since,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read histories"))?;
    Ok(by_session(rows))
}

/// The last `limit` events of each of these sessions and of each of their threads, oldest first, by session.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn recent_histories(
    connection: &mut PgConnection,
    sessions: &[&str],
    limit: i64,
) -> Result<HashMap<String, Vec<Entry>>, Error> {
    let rows = sqlx::query_as!(
        EntryRow,
        r#"
        WITH named AS (
            SELECT 'session' AS resource_type, id AS resource_id, id AS session FROM unnest($1::text[]) AS given (id)
            UNION ALL
            SELECT resource_type, resource_id, parent_id FROM resources
            WHERE parent_id = ANY($1) AND resource_type = 'session_thread'
        )
        SELECT named.session AS "session!", named.resource_type AS "resource_type!", named.resource_id AS "resource_id!",
            recent.event_type AS "event_type!", recent.created_at AS "created_at!"
        FROM named CROSS JOIN LATERAL (
            SELECT event_type, created_at, rank, event_id FROM resource_history AS history
            WHERE history.resource_type = named.resource_type AND history.resource_id = named.resource_id
            ORDER BY created_at DESC, rank DESC, event_id DESC LIMIT $2
        ) AS recent
        ORDER BY recent.created_at, recent.rank, recent.event_id COLLATE "C"
        "#,
        sessions as _,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read the ends of histories"))?;
    Ok(by_session(rows))
}
