//! Replays: new lives for dead letters, with progress that outlives the command.

use crate::dead::{DeadFilter, select_dead};
use crate::error::Error;
use crate::replies::revive_replies;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

/// One replay.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    /// Its number.
    pub id: i64,
    /// When it began; it takes what had died before.
    pub started_at: DateTime<Utc>,
    /// When it last moved on.
    pub updated_at: DateTime<Utc>,
    /// Which dead letters it takes.
    pub selection: serde_json::Value,
    /// How many matched at the start.
    pub total: i64,
    /// How many have been given new tries so far.
    pub replayed: i64,
    /// `running`, `finished` or `cancelled`.
    pub status: String,
}

/// Records that a replay begins.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn start_replay(
    connection: &mut PgConnection,
    filter: &DeadFilter,
    total: i64,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let selection = serde_json::to_value(filter).unwrap_or_default();
    sqlx::query_scalar!(
        r#"
        INSERT INTO replays (started_at, updated_at, selection, total, status)
        VALUES ($1, $1, $2, $3, 'running') RETURNING id
        "#,
        now,
        selection,
        total,
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("begin a replay"))
}

/// Gives new lives to up to `limit` dead letters: next generation, no tries used, due now. Writes the progress in
/// the same transaction. Returns how many it was: none when all are taken, when others hold what is left, and when
/// the replay is not running any more.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn replay_chunk(
    tx: &mut PgConnection,
    replay: i64,
    filter: &DeadFilter,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let failed = Error::of("replay dead letters");
    // FOR UPDATE: whoever cancels either waits for this chunk or prevents it.
    let status = sqlx::query_scalar!("SELECT status FROM replays WHERE id = $1 FOR UPDATE", replay)
        .fetch_optional(&mut *tx)
        .await
        .map_err(&failed)?;
    if status.as_deref() != Some("running") {
        return Ok(0);
    }
    let events = select_dead(tx, filter, limit).await?;
    sqlx::query!(
        r#"
        WITH again AS (
            UPDATE events SET generation = generation + 1, tries = 0, status = 'pending', error_class = NULL,
                last_error = NULL, dead_at = NULL, finished_at = NULL
            WHERE id = ANY($1)
            RETURNING id, generation, CASE source WHEN 'reply' THEN 'replies' ELSE 'work' END AS queue
        )
        INSERT INTO outbox (event, queue, generation, tries, due_at)
        SELECT id, queue, generation, 0, $2 FROM again ORDER BY id
        ON CONFLICT (event) DO UPDATE SET ticket = nextval('outbox_ticket'), queue = excluded.queue,
            generation = excluded.generation, tries = 0, due_at = excluded.due_at
        "#,
        &events,
        now,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    revive_replies(tx, &events).await?;
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    sqlx::query!(
        "UPDATE replays SET replayed = replayed + $2, updated_at = $3 WHERE id = $1",
        replay,
        count,
        now,
    )
    .execute(tx)
    .await
    .map_err(&failed)?;
    Ok(count.unsigned_abs())
}

/// Records that a replay has taken all it was to take.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn finish_replay(
    connection: &mut PgConnection,
    replay: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE replays SET status = 'finished', updated_at = $2 WHERE id = $1 AND status = 'running'",
        replay,
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("finish a replay"))?;
    Ok(())
}

/// Stops a running replay: it takes no further chunk. Returns whether it was running.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn cancel_replay(
    connection: &mut PgConnection,
    replay: i64,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let cancelled = sqlx::query!(
        "UPDATE replays SET status = 'cancelled', updated_at = $2 WHERE id = $1 AND status = 'running'",
        replay,
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("cancel a replay"))?;
    Ok(cancelled.rows_affected() == 1)
}

/// One replay by its number.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn find_replay(connection: &mut PgConnection, replay: i64) -> Result<Option<Replay>, Error> {
    sqlx::query_as!(
        Replay,
        "SELECT id, started_at, updated_at, selection, total, replayed, status FROM replays WHERE id = $1",
        replay,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("find a replay"))
}
