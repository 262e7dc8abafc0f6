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
