//! What becomes of a review while nobody has decided it: calls of its executor, a person in its place, an alert.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::policy::Patience;
use sqlx::PgConnection;

/// Writes that a call of the executor begins. Committed before the call, so that its trace outlives the worker.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn begin_call(
    tx: &mut PgConnection,
    effect: i64,
    number: u32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    sqlx::query!("UPDATE reviews SET calls = $2, called_at = $3 WHERE effect = $1", effect, number, now)
        .execute(tx)
        .await
        .map_err(Error::of("begin a call"))?;
    Ok(())
}

/// Writes that the call has ended without an answer.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn end_call(tx: &mut PgConnection, effect: i64) -> Result<(), Error> {
    sqlx::query!("UPDATE reviews SET called_at = NULL WHERE effect = $1", effect)
        .execute(tx)
        .await
        .map_err(Error::of("end a call"))?;
    Ok(())
}

/// Gives a review that an executor did not answer to a person, who has `patience` for it from `now` on.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn hand_over(
    tx: &mut PgConnection,
    effect: i64,
    patience: Patience,
    because: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let due_at = patience.due_at(now);
    sqlx::query!(
        r#"
        UPDATE reviews SET route = 'person', executor = NULL, because = $2, due_at = $3, severity = $4, called_at = NULL
        WHERE effect = $1
        "#,
        effect,
        because,
        due_at,
        patience.severity.as_str(),
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::of("hand a review over"))?;
    crate::postpone_effect(tx, effect, Some(due_at), None).await
}

/// Writes that nobody has answered in time. The effect rests from then on: a person is asked for.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn mark_overdue(tx: &mut PgConnection, effect: i64, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!("UPDATE reviews SET escalated_at = $2 WHERE effect = $1", effect, now)
        .execute(&mut *tx)
        .await
        .map_err(Error::of("mark a review as overdue"))?;
    crate::postpone_effect(tx, effect, None, None).await
}
