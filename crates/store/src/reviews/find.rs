//! Reading reviews.

use super::row::{Review, Row};
use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::review::ReviewStatus;
use sqlx::PgConnection;

/// Reviews with everything that belongs to them; `$tail` says which, and in which order.
macro_rules! select {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"
            SELECT effects.id AS effect, effects.key AS id, effects.resource_id AS session_id,
                review_status(effects.standing, effects.done_at IS NOT NULL, reviews.route, reviews.closed_as,
                    reviews.answer IS NOT NULL, reply.state, reply.status) AS "status!",
                reviews.kind AS "kind?", reviews.tool AS "tool?", reviews.server, reviews.permission,
                reviews.input::text AS input, reviews.thread_id, reviews.agent_id, reviews.agent_name,
                reviews.session_title, resources.status AS session_status, reviews.context AS "context?",
                effects.recorded_at, reviews.asked_at, reviews.route AS "route?", reviews.because AS "because?",
                reviews.executor, reviews.message, reviews.due_at, reviews.severity, reviews.escalated_at,
                reviews.claimed_by, reviews.claimed_until, reviews.calls AS "calls?", reviews.called_at,
                reviews.answer, reviews.decided_by, reviews.decided_at, reviews.closed_as,
                reply.event_id AS "reply_event?", reply.state AS "reply_state?", effects.last_error
            FROM effects
            LEFT JOIN reviews ON reviews.effect = effects.id
            LEFT JOIN resources
                ON resources.resource_type = effects.resource_type AND resources.resource_id = effects.resource_id
            LEFT JOIN LATERAL (
                SELECT replies.state, events.status, events.event_id
                FROM replies JOIN events ON events.id = replies.event
                WHERE replies.effect = effects.id ORDER BY replies.number DESC LIMIT 1
            ) AS reply ON true
            "# + $tail
            $(, $argument)*
        )
    };
}

/// One review.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn find_review(connection: &mut PgConnection, effect: i64) -> Result<Option<Review>, Error> {
    select!("WHERE effects.id = $1 AND effects.kind = 'review'", effect)
        .fetch_optional(connection)
        .await
        .map_err(Error::of("find a review"))?
        .map(Review::try_from)
        .transpose()
}

/// The reviews of tool uses whose id begins so, up to `limit`; the one whose id is exactly that comes first.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn find_reviews(
    connection: &mut PgConnection,
    beginning: &str,
    limit: i64,
) -> Result<Vec<Review>, Error> {
    select!(
        r#"
        WHERE effects.kind = 'review' AND effects.id IN (
            SELECT effect FROM reviews WHERE tool_use_id ^@ $1
            UNION ALL
            SELECT id FROM effects
            WHERE kind = 'review' AND standing = 'due' AND done_at IS NULL AND key ^@ $1
        )
        ORDER BY effects.key <> $1, effects.id LIMIT $2
        "#,
        beginning,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("find reviews"))?
    .into_iter()
    .map(Review::try_from)
    .collect()
}

/// Which reviews to list. What is `None` does not narrow the selection.
#[derive(Debug, Clone, Default)]
pub struct ReviewFilter {
    /// Those that stand so. `None`: all that are not over, or with `also_over` all.
    pub status: Option<ReviewStatus>,
    /// Those that are over too.
    pub also_over: bool,
    /// Of this session.
    pub session: Option<String>,
    /// Of this tool.
    pub tool: Option<String>,
    /// Of this agent, by id or name.
    pub agent: Option<String>,
    /// Those that a person should have answered by then.
    pub due_before: Option<DateTime<Utc>>,
    /// How many at most.
    pub limit: i64,
}

/// The reviews that match: those that are not over with the longest waiting first, all others with the newest first.
///
/// # Errors
/// When Postgres is away or refuses, or a row cannot be read.
pub async fn list_reviews(
    connection: &mut PgConnection,
    filter: &ReviewFilter,
) -> Result<Vec<Review>, Error> {
    let only_unfinished = filter.status.map_or(!filter.also_over, |status| !status.is_over());
    let rows = select!(
        r#"
        WHERE effects.kind = 'review' AND (NOT $1 OR (effects.standing = 'due' AND effects.done_at IS NULL))
            AND ($2::text IS NULL OR effects.resource_id = $2) AND ($3::text IS NULL OR reviews.tool = $3)
            AND ($4::text IS NULL OR reviews.agent_id = $4 OR reviews.agent_name = $4)
            AND ($5::timestamptz IS NULL OR reviews.due_at < $5)
            AND CASE WHEN $6::text IS NOT NULL THEN review_status(effects.standing, effects.done_at IS NOT NULL,
                    reviews.route, reviews.closed_as, reviews.answer IS NOT NULL, reply.state, reply.status) = $6
                WHEN $1 THEN review_status(effects.standing, effects.done_at IS NOT NULL, reviews.route,
                    reviews.closed_as, reviews.answer IS NOT NULL, reply.state, reply.status)
                    NOT IN ('answered', 'obsolete')
                ELSE true END
        ORDER BY CASE WHEN $1 THEN effects.id ELSE -effects.id END LIMIT $7
        "#,
        only_unfinished,
        filter.session,
        filter.tool,
        filter.agent,
        filter.due_before,
        filter.status.map(ReviewStatus::as_str),
        filter.limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list reviews"))?;
    rows.into_iter().map(|row| Review::try_from(Row { input: None, context: None, ..row })).collect()
}
