//! The budget of calls to the Claude API that all workers share.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::budget::Grant;
use domain::{CallClass, Rate};
use sqlx::PgConnection;

/// Takes up to `wanted` tokens. The same arithmetic as that of [`domain::budget::Bucket`], in one statement, so that nobody
/// waits for anybody's network.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn take_tokens(
    connection: &mut PgConnection,
    class: CallClass,
    rate: Rate,
    wanted: u32,
    now: DateTime<Utc>,
) -> Result<Grant, Error> {
    let taken = sqlx::query!(
        r#"
        UPDATE api_budget SET tokens = filled.tokens - filled.granted, refilled_at = greatest(refilled_at, $2)
        FROM (
            SELECT class, tokens, paused_until,
                CASE WHEN paused_until IS NULL THEN least($5, floor(tokens)) ELSE 0 END AS granted
            FROM (
                SELECT class, CASE WHEN paused_until > $2 THEN paused_until END AS paused_until,
                    least($4, tokens + greatest(0, extract(epoch FROM $2 - refilled_at)::float8) * $3) AS tokens
                FROM api_budget WHERE class = $1 FOR UPDATE
            ) AS refilled
        ) AS filled
        WHERE api_budget.class = filled.class
        RETURNING filled.granted AS "granted!", api_budget.tokens AS "left!", filled.paused_until
        "#,
        class.as_str(),
        now,
        rate.per_second(),
        rate.tokens(),
        f64::from(wanted),
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("take tokens of the API budget"))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to `wanted`")]
    let tokens = taken.granted as u32;
    Ok(Grant { tokens, left: taken.left, paused_until: taken.paused_until })
}

/// Has nobody take a token until then, whatever the class: the platform has asked one of us to slow down. A pause is never
/// made shorter.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn pause_calls(connection: &mut PgConnection, until: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE api_budget SET paused_until = $1 WHERE paused_until IS NULL OR paused_until < $1",
        until
    )
    .execute(connection)
    .await
    .map_err(Error::of("pause the calls of the API"))?;
    Ok(())
}
