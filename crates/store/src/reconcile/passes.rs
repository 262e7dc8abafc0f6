//! How far passes over the API's lists are.

use crate::error::{Error, word};
use chrono::{DateTime, Utc};
use domain::ResourceKind;
use sqlx::PgConnection;
use std::str::FromStr;

/// Names the reconciler among all advisory locks of the database; the number is arbitrary.
const RECONCILING: i64 = 7_061_510_004;

/// What a pass is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The list itself.
    Listing,
    /// A second list, of what is at work, however old.
    Unfinished,
    /// What is held and was not listed, one by one.
    Held,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Unfinished => "unfinished",
            Self::Held => "held",
        }
    }
}

impl FromStr for Stage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Listing, Self::Unfinished, Self::Held]
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .ok_or(())
    }
}

/// What was found so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Resources compared.
    pub compared: i64,
    /// Of those, unknown to us.
    pub missing: i64,
    /// Of those, known and different.
    pub differing: i64,
    /// Resources that are held and no longer there.
    pub deleted: i64,
    /// Events accepted for what was found.
    pub queued: i64,
}

/// A pass that is to begin.
#[derive(Debug, Clone, Copy)]
pub struct NewPass {
    /// What is compared.
    pub kind: ResourceKind,
    /// Whether everything is listed.
    pub whole: bool,
    /// What changed since then is looked into closely; `None`: everything is.
    pub since: Option<DateTime<Utc>>,
    /// When it begins.
    pub started_at: DateTime<Utc>,
}

/// A pass.
#[derive(Debug, Clone)]
pub struct Pass {
    /// Its number.
    pub id: i64,
    /// Whether everything is listed.
    pub whole: bool,
    /// What changed since then is looked into closely; `None`: everything is.
    pub since: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What it is at.
    pub stage: Stage,
    /// Where its list goes on.
    pub cursor: Option<String>,
    /// What was found so far.
    pub tally: Tally,
}

/// Takes the right to reconcile, until the transaction ends. Returns whether nobody else has it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn try_lock_reconciling(tx: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, RECONCILING)
        .fetch_one(tx)
        .await
        .map_err(Error::of("elect the reconciler"))
}

/// When all kinds were last compared to the end; `None` before the first time.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn last_reconciled(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>, Error> {
    sqlx::query_scalar!("SELECT done_at FROM duties WHERE name = 'reconcile'")
        .fetch_optional(connection)
        .await
        .map_err(Error::of("ask for the last reconciliation"))
}

/// Records that all kinds were compared to the end.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_reconciled(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO duties (name, done_at) VALUES ('reconcile', $1) ON CONFLICT (name) DO UPDATE SET done_at = $1",
        now,
    )
    .execute(connection)
    .await
    .map_err(Error::of("record a reconciliation"))?;
    Ok(())
}

/// The pass of a kind that has not ended, if there is one.
///
/// # Errors
/// When Postgres is away or refuses, or the row cannot be read.
pub async fn open_pass(connection: &mut PgConnection, kind: ResourceKind) -> Result<Option<Pass>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT id, whole, since, stage, cursor, started_at, compared, missing, differing, deleted, queued
        FROM reconcile_passes WHERE kind = $1 AND ended_at IS NULL
        "#,
        kind.as_str(),
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("find an open pass"))?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Pass {
        id: row.id,
        whole: row.whole,
        since: row.since,
        started_at: row.started_at,
        stage: word("reconcile_passes", "stage", row.id, &row.stage)?,
        cursor: row.cursor,
        tally: Tally {
            compared: row.compared,
            missing: row.missing,
            differing: row.differing,
            deleted: row.deleted,
            queued: row.queued,
        },
    }))
}

/// When the last pass of a kind that ended began; `whole`: the last one that listed everything.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn last_pass(
    connection: &mut PgConnection,
    kind: ResourceKind,
    whole: bool,
) -> Result<Option<DateTime<Utc>>, Error> {
    sqlx::query_scalar!(
        "SELECT max(started_at) FROM reconcile_passes WHERE kind = $1 AND ended_at IS NOT NULL AND (whole OR NOT $2)",
        kind.as_str(),
        whole,
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("ask for the last pass"))
}

/// Begins a pass. `None`: another one of the kind is open.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn begin_pass(connection: &mut PgConnection, new: &NewPass) -> Result<Option<i64>, Error> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO reconcile_passes (kind, whole, since, stage, started_at) VALUES ($1, $2, $3, 'listing', $4)
        ON CONFLICT (kind) WHERE ended_at IS NULL DO NOTHING RETURNING id
        "#,
        new.kind.as_str(),
        new.whole,
        new.since,
        new.started_at,
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::of("begin a pass"))
}

/// Notes what was compared and where the pass goes on. What was seen before is seen once.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn note_page(connection: &mut PgConnection, pass: &Pass, seen: &[&str]) -> Result<(), Error> {
    let tally = pass.tally;
    sqlx::query!(
        r#"
        WITH noted AS (
            UPDATE reconcile_passes SET stage = $2, cursor = $3, compared = $4, missing = $5, differing = $6,
                deleted = $7, queued = $8
            WHERE id = $1 AND ended_at IS NULL RETURNING id
        )
        INSERT INTO reconcile_seen (pass, resource_id)
        SELECT DISTINCT noted.id, given.id FROM noted, unnest($9::text[]) AS given (id)
        ON CONFLICT DO NOTHING
        "#,
        pass.id,
        pass.stage.as_str(),
        pass.cursor,
        tally.compared,
        tally.missing,
        tally.differing,
        tally.deleted,
        tally.queued,
        seen as _,
    )
    .execute(connection)
    .await
    .map_err(Error::of("note how far a pass is"))?;
    Ok(())
}

/// What an open pass has compared already.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn seen_in(connection: &mut PgConnection, pass: i64) -> Result<Vec<String>, Error> {
    sqlx::query_scalar!("SELECT resource_id FROM reconcile_seen WHERE pass = $1", pass)
        .fetch_all(connection)
        .await
        .map_err(Error::of("read what a pass has seen"))
}

/// Ends a pass and forgets what it has seen, and the passes of its kind that ended before `forget`.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn end_pass(
    connection: &mut PgConnection,
    pass: i64,
    now: DateTime<Utc>,
    forget: DateTime<Utc>,
) -> Result<(), Error> {
    let failed = Error::of("end a pass");
    sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE reconcile_passes SET ended_at = $2, cursor = NULL WHERE id = $1 RETURNING kind
        ), old AS (
            DELETE FROM reconcile_passes USING ended
            WHERE reconcile_passes.kind = ended.kind AND reconcile_passes.ended_at < $3
        )
        DELETE FROM reconcile_seen WHERE pass = $1
        "#,
        pass,
        now,
        forget,
    )
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Gives a pass up, so that another one can begin.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn drop_pass(connection: &mut PgConnection, pass: i64) -> Result<(), Error> {
    sqlx::query!("DELETE FROM reconcile_passes WHERE id = $1 AND ended_at IS NULL", pass)
        .execute(connection)
        .await
        .map_err(Error::of("give a pass up"))?;
    Ok(())
}
