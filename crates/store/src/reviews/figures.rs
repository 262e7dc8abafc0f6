//! How many reviews wait, for the metrics.

use crate::error::Error;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Reviews that are wanted and not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewFigures {
    /// How many stand how.
    pub by_status: Vec<(String, i64)>,
    /// When the oldest one that waits for a person became known.
    pub oldest_open_at: Option<DateTime<Utc>>,
    /// How many persons should have answered by now.
    pub overdue: i64,
}

/// Counts the reviews that are not over.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn review_figures(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<ReviewFigures, Error> {
    let rows = sqlx::query!(
        r#"
        WITH waiting AS (
            SELECT effects.recorded_at, reviews.due_at,
                review_status(effects.standing, false, reviews.route, reviews.closed_as, reviews.answer IS NOT NULL,
                    reply.state, reply.status) AS status
            FROM effects
            LEFT JOIN reviews ON reviews.effect = effects.id
            LEFT JOIN LATERAL (
                SELECT replies.state, events.status FROM replies JOIN events ON events.id = replies.event
                WHERE replies.effect = effects.id ORDER BY replies.number DESC LIMIT 1
            ) AS reply ON true
            WHERE effects.kind = 'review' AND effects.standing = 'due' AND effects.done_at IS NULL
        )
        SELECT status AS "status!", count(*) AS "count!", min(recorded_at) AS oldest,
            count(*) FILTER (WHERE due_at < $1) AS "overdue!"
        FROM waiting GROUP BY status
        "#,
        now,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("count reviews"))?;
    let open = rows.iter().find(|row| row.status == "open");
    Ok(ReviewFigures {
        oldest_open_at: open.and_then(|row| row.oldest),
        overdue: open.map_or(0, |row| row.overdue),
        by_status: rows.into_iter().map(|row| (row.status, row.count)).collect(),
    })
}

/// Resolves the alerts about overdue reviews that wait for nobody any more: the session moved on, or an answer came from
/// elsewhere. Returns how many.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn resolve_overdue_alerts(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let keys = sqlx::query_scalar!(
        r#"
        SELECT alerts.key FROM alerts
        WHERE alerts.kind = 'review_overdue' AND alerts.resolved_at IS NULL AND NOT EXISTS (
            SELECT FROM reviews JOIN effects ON effects.id = reviews.effect
            WHERE reviews.tool_use_id = alerts.key AND effects.standing = 'due' AND effects.done_at IS NULL
        )
        LIMIT 1000
        "#
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::of("find alerts about reviews that are over"))?;
    for key in &keys {
        crate::resolve_alert(connection, "review_overdue", key, now).await?;
    }
    Ok(keys.len())
}
