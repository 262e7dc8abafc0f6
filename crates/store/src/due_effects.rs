//! Effects that are to be carried out now, and what became of it.

use crate::error::{Error, count, word};
use chrono::{DateTime, Utc};
use domain::{EffectKind, ResourceKind, ResourceRef};
use sqlx::PgConnection;

/// A claimed effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEffect {
    /// Names it in the other calls.
    pub id: i64,
    /// What is to be done.
    pub kind: EffectKind,
    /// The resource it concerns.
    pub resource: ResourceRef,
    /// Its natural key within resource and kind.
    pub key: String,
    /// For people: what it is about.
    pub detail: String,
    /// The event that was the first to cause it.
    pub event: i64,
    /// How often carrying it out has failed.
    pub tries: u32,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// Claims up to `limit` effects of a kind that are due at `now`, until `lease_ends`: until then nobody else gets them,
/// and after it they are due again unless they were finished or postponed.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn claim_effects(
    connection: &mut PgConnection,
    kind: EffectKind,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueEffect>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH due AS (
            SELECT id FROM effects
            WHERE kind = $1 AND due_at <= $2 AND standing = 'due' AND done_at IS NULL
            ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE effects SET due_at = $3 FROM due WHERE effects.id = due.id
            RETURNING effects.id, effects.resource_type, effects.resource_id, effects.key, effects.detail,
                effects.event, effects.tries, effects.recorded_at
        )
        SELECT claimed.*, resources.parent_id AS "parent_id?"
        FROM claimed LEFT JOIN resources USING (resource_type, resource_id)
        "#,
        kind.as_str(),
        now,
        lease_ends,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("claim effects"))?;
    rows.into_iter()
        .map(|row| {
            Ok(DueEffect {
                id: row.id,
                kind,
                resource: ResourceRef {
                    kind: word::<ResourceKind>("effects", "resource_type", row.id, &row.resource_type)?,
                    id: row.resource_id,
                    parent_id: row.parent_id,
                },
                key: row.key,
                detail: row.detail,
                event: row.event,
                tries: count("effects", "tries", row.id, row.tries)?,
                recorded_at: row.recorded_at,
            })
        })
        .collect()
}

/// Prolongs the lease of an effect until `longer`, if it still is the one that ends at `lease_ends`: `false` otherwise.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn renew_effect(
    connection: &mut PgConnection,
    id: i64,
    lease_ends: DateTime<Utc>,
    longer: DateTime<Utc>,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "UPDATE effects SET due_at = $3 WHERE id = $1 AND due_at = $2 AND done_at IS NULL",
        id,
        lease_ends,
        longer,
    )
    .execute(connection)
    .await
    .map_err(Error::of("prolong the lease of an effect"))?;
    Ok(done.rows_affected() > 0)
}

/// Writes that an effect was carried out, unless it is written already: `false` then. Belongs into the transaction of
/// whatever carrying it out writes, so that it is done once.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn finish_effect(tx: &mut PgConnection, id: i64, now: DateTime<Utc>) -> Result<bool, Error> {
    let done = sqlx::query!(
        "UPDATE effects SET done_at = $2, last_error = NULL WHERE id = $1 AND done_at IS NULL",
        id,
        now
    )
    .execute(tx)
    .await
    .map_err(Error::of("finish an effect"))?;
    Ok(done.rows_affected() > 0)
}

/// Puts an effect off until `due_at`; `None` until somebody schedules it again. With an error, a failure is counted.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn postpone_effect(
    tx: &mut PgConnection,
    id: i64,
    due_at: Option<DateTime<Utc>>,
    error: Option<&str>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE effects SET due_at = coalesce($2, 'infinity'::timestamptz), last_error = coalesce($3, last_error),
            tries = tries + CASE WHEN $3::text IS NULL THEN 0 ELSE 1 END
        WHERE id = $1 AND done_at IS NULL
        "#,
        id,
        due_at,
        error,
    )
    .execute(tx)
    .await
    .map_err(Error::of("put off an effect"))?;
    Ok(())
}
