//! What the first look at a tool use has shown.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::policy::Route;
use domain::review::Question;
use serde_json::Value;
use sqlx::PgConnection;

/// A question that was looked up.
#[derive(Debug, Clone)]
pub struct NewReview {
    /// The effect that it belongs to.
    pub effect: i64,
    /// The tool use.
    pub tool_use_id: String,
    /// What is asked, and by whom.
    pub question: Question,
    /// The arguments, as JSON.
    pub input: String,
    /// The thread that waits, where it is not the session's first one.
    pub thread_id: Option<String>,
    /// What a person called the session.
    pub session_title: Option<String>,
    /// The last things that were said before.
    pub context: Value,
    /// When the agent asked.
    pub asked_at: Option<DateTime<Utc>>,
    /// Who answers.
    pub route: Route,
    /// The rule that says so, or what else does.
    pub because: String,
}

/// Why no answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Somebody has answered.
    AnsweredElsewhere,
    /// It was allowed or denied by the agent's own policy.
    NeedsNobody,
    /// Its thread has ended: no answer is taken any more.
    ThreadEnded,
    /// Its session has ended.
    SessionOver,
}

impl Closed {
    /// The name under which it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnsweredElsewhere => "answered_elsewhere",
            Self::NeedsNobody => "needs_nobody",
            Self::ThreadEnded => "thread_ended",
            Self::SessionOver => "session_over",
        }
    }
}

/// The reviews of a session that are wanted and were not looked up yet: effect and tool use of each.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn unprepared_reviews(
    connection: &mut PgConnection,
    session_id: &str,
) -> Result<Vec<(i64, String)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, key FROM effects
        WHERE resource_type = 'session' AND resource_id = $1 AND kind = 'review' AND standing = 'due'
            AND done_at IS NULL AND NOT EXISTS (SELECT FROM reviews WHERE reviews.effect = effects.id)
        "#,
        session_id,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("find reviews to prepare"))?;
    Ok(rows.into_iter().map(|row| (row.id, row.key)).collect())
}

/// Keeps a session's questions; those that are kept already stay as they are. Returns the effects of those that are new.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn keep_reviews(
    tx: &mut PgConnection,
    session_id: &str,
    reviews: &[NewReview],
    now: DateTime<Utc>,
) -> Result<Vec<i64>, Error> {
    let mut new = Vec::new();
    for review in reviews {
        let question = &review.question;
        let (executor, message, patience) = match &review.route {
            Route::Person(patience) => (None, None, Some(*patience)),
            Route::Allow => (None, None, None),
            Route::Deny { message } => (None, message.as_deref(), None),
            Route::Executor { name } => (Some(name.as_str()), None, None),
        };
        // A row at a time: a session waits for a handful of tool uses at most.
        let kept = sqlx::query_scalar!(
            r#"
            INSERT INTO reviews (effect, session_id, tool_use_id, kind, tool, server, input, permission, thread_id,
                agent_id, agent_name, session_title, context, asked_at, prepared_at, route, because, executor, message,
                due_at, severity)
            VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                $20, $21)
            ON CONFLICT (effect) DO NOTHING RETURNING effect
            "#,
            review.effect,
            session_id,
            review.tool_use_id,
            question.kind.as_str(),
            question.tool,
            question.server,
            review.input,
            question.permission,
            review.thread_id,
            question.agent_id,
            question.agent_name,
            review.session_title,
            review.context,
            review.asked_at,
            now,
            review.route.as_str(),
            review.because,
            executor,
            message,
            patience.map(|patience| patience.due_at(now)),
            patience.map(|patience| patience.severity.as_str()),
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::of("keep a review"))?;
        new.extend(kept);
    }
    Ok(new)
}

/// Closes a review that needs no answer, for good.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn close_review(
    tx: &mut PgConnection,
    effect: i64,
    closed: Closed,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!("UPDATE reviews SET closed_as = $2 WHERE effect = $1", effect, closed.as_str())
        .execute(&mut *tx)
        .await
        .map_err(Error::of("close a review"))?;
    crate::finish_effect(tx, effect, now).await?;
    Ok(())
}

/// Takes back a review whose question could not be looked up, because its session is not there. Should a newer state
/// name the tool use again, it is wanted again.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn drop_review(tx: &mut PgConnection, effect: i64) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE effects SET standing = 'obsolete', due_at = '-infinity'
        WHERE id = $1 AND kind = 'review' AND done_at IS NULL
        "#,
        effect
    )
    .execute(tx)
    .await
    .map_err(Error::of("drop a review"))?;
    Ok(())
}
