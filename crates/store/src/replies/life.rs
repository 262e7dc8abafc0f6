//! What death and replay of its event mean for a reply.

use crate::error::Error;
use sqlx::PgConnection;

/// The events have become dead letters: their replies have failed.
pub(crate) async fn fail_replies(tx: &mut PgConnection, events: &[i64]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        UPDATE replies SET state = 'failed', posting_by = NULL, posting_until = NULL,
            -- Whoever was at it may have got as far as the platform.
            maybe_posted = maybe_posted OR state = 'posting'
        WHERE event = ANY($1)
        "#,
        events,
    )
    .execute(tx)
    .await
    .map_err(Error::of("let replies fail"))?;
    Ok(())
}

/// The events have a new life: their replies are to be posted again.
pub(crate) async fn revive_replies(tx: &mut PgConnection, events: &[i64]) -> Result<(), Error> {
    sqlx::query!("UPDATE replies SET state = 'queued' WHERE event = ANY($1) AND state = 'failed'", events)
        .execute(tx)
        .await
        .map_err(Error::of("queue replies again"))?;
    Ok(())
}
