//! Who works on a review, and what was decided.

use super::find::find_review;
use super::row::Review;
use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::Answer;
use sqlx::PgConnection;

/// One review, with its effect locked until the transaction ends: nobody else decides it, and no event overtakes it.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn lock_review(tx: &mut PgConnection, effect: i64) -> Result<Option<Review>, Error> {
    sqlx::query!("SELECT id FROM effects WHERE id = $1 FOR UPDATE", effect)
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::of("lock a review"))?;
    // A statement of its own: it sees what was committed while the lock was waited for.
    find_review(tx, effect).await
}

/// Gives a review to a person until `until`. The caller holds its lock.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn claim_review(
    tx: &mut PgConnection,
    effect: i64,
    by: &str,
    until: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE reviews SET claimed_by = $2, claimed_until = $3 WHERE effect = $1",
        effect,
        by,
        until
    )
    .execute(tx)
    .await
    .map_err(Error::of("claim a review"))?;
    Ok(())
}

/// Gives a review back to everybody. The caller holds its lock.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn release_review(tx: &mut PgConnection, effect: i64) -> Result<(), Error> {
    sqlx::query!("UPDATE reviews SET claimed_by = NULL, claimed_until = NULL WHERE effect = $1", effect)
        .execute(tx)
        .await
        .map_err(Error::of("release a review"))?;
    Ok(())
}

/// Writes what was decided, and lets the effect rest: what is left to be done is the reply's. The caller holds the lock.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_answer(
    tx: &mut PgConnection,
    effect: i64,
    answer: &Answer,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let answer = serde_json::to_value(answer).unwrap_or_default();
    sqlx::query!(
        r#"
        UPDATE reviews SET answer = $2, decided_by = $3, decided_at = $4, called_at = NULL, claimed_by = NULL,
            claimed_until = NULL
        WHERE effect = $1
        "#,
        effect,
        answer,
        by,
        now,
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::of("record a decision"))?;
    crate::postpone_effect(tx, effect, None, None).await
}
