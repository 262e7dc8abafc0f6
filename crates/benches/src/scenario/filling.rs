//! Many stored events in little time.

use crate::progress::Progress;
use crate::stack::Stack;
use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Row as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// Rows of one statement.
const CHUNK: u64 = 100_000;

/// Connections that insert at the same time.
const FILLERS: usize = 2;

/// What every filling session is told. Nobody needs these rows after a crash.
const SESSION: &str = "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'";

/// An index that is made when all rows are there, which takes a fraction of the time.
struct Postponed {
    drop: String,
    create: String,
}

/// Everything but the primary key, whose values ascend.
const POSTPONED: &str = "
    SELECT format('ALTER TABLE events DROP CONSTRAINT %I', conname) AS drop,
        format('ALTER TABLE events ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS create
    FROM pg_constraint WHERE conrelid = 'events'::regclass AND contype = 'u'
    UNION ALL
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = 'events'::regclass
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))";

/// Stores `rows` finished events, as they would have come in: ids in no order, ten to a session, payloads of the usual
/// length. Leaves the table vacuumed, analyzed and on disk.
pub(super) async fn fill_events(stack: &Stack, progress: &Progress, rows: u64) -> Result<()> {
    let postponed = postponed(stack).await?;
    for index in &postponed {
        stack.execute(index.drop.clone()).await?;
    }
    let next = Arc::new(AtomicU64::new(0));
    let mut fillers = JoinSet::new();
    for _ in 0..FILLERS {
        fillers.spawn(fill(stack.pool().clone(), Arc::clone(&next), rows));
    }
    while let Some(filled) = fillers.join_next().await {
        filled.context("a filler ended badly")??;
    }
    progress.step("making the indexes");
    for index in &postponed {
        stack.execute(format!("{SESSION}; {}", index.create)).await?;
    }
    progress.step("vacuum and checkpoint");
    stack.execute("VACUUM (ANALYZE) events".to_owned()).await?;
    stack.execute("CHECKPOINT".to_owned()).await
}

async fn postponed(stack: &Stack) -> Result<Vec<Postponed>> {
    let rows = sqlx::raw_sql(POSTPONED).fetch_all(stack.pool()).await.context("cannot list the indexes")?;
    rows.iter()
        .map(|row| Ok(Postponed { drop: row.try_get("drop")?, create: row.try_get("create")? }))
        .collect()
}

async fn fill(pool: sqlx::PgPool, next: Arc<AtomicU64>, rows: u64) -> Result<()> {
    let mut connection = pool.acquire().await.context("no connection to fill with")?;
    sqlx::raw_sql(SESSION).execute(&mut *connection).await?;
    loop {
        let from = next.fetch_add(CHUNK, Ordering::Relaxed);
        if from >= rows {
            // Not back into the pool: its settings are for filling only.
            connection.detach();
            return Ok(());
        }
        let statement = insert(from + 1, rows.min(from + CHUNK));
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await
            .context("cannot fill the table")?;
    }
}

fn insert(first: u64, last: u64) -> String {
    format!(
        r#"INSERT INTO events (endpoint, event_id, event_type, dialect, source, resource_type, resource_id,
            organization_id, workspace_id, created_at, received_at, payload, content_type, status, finished_at)
        SELECT 'default', event_id, 'session.status_running', 'platform', 'webhook', 'session', session,
            'org_01BenchOrganization0001', 'wrkspc_01BenchWorkspace00001', at, at + interval '0.4 s',
            convert_to(format('{{"type":"event","id":"%s","created_at":"%s","data":{{"type":"session.status_running","id":"%s","organization_id":"org_01BenchOrganization0001","workspace_id":"wrkspc_01BenchWorkspace00001"}}}}',
                event_id, to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), session), 'UTF8'),
            'application/json', 'applied', at + interval '0.5 s'
        FROM (
            SELECT 'wevt_' || left(md5('event' || n), 24) AS event_id, 'sesn_' || left(md5('session' || n / 10), 24) AS session,
                timestamptz '2026-01-01 00:00:00Z' + n * interval '1 s' AS at
            FROM generate_series({first}, {last}) AS n
        ) AS made"#
    )
}
