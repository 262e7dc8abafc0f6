//! The story of a review, for people.

use crate::error::Error;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

/// What can happen to a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Somebody was chosen to answer.
    Routed,
    /// A person took it.
    Claimed,
    /// A person gave it back.
    Released,
    /// The executor was called.
    Called,
    /// The call failed.
    CallFailed,
    /// The worker died during the call; its end is not known.
    CallLost,
    /// From the executor to a person.
    HandedOver,
    /// Nobody had answered in time.
    Overdue,
    /// It was decided.
    Decided,
    /// No answer is wanted.
    Closed,
}

impl Step {
    /// The name under which the step is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routed => "routed",
            Self::Claimed => "claimed",
            Self::Released => "released",
            Self::Called => "called",
            Self::CallFailed => "call_failed",
            Self::CallLost => "call_lost",
            Self::HandedOver => "handed_over",
            Self::Overdue => "overdue",
            Self::Decided => "decided",
            Self::Closed => "closed",
        }
    }
}

/// Adds a step to the story.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn note_step(
    tx: &mut PgConnection,
    effect: i64,
    step: Step,
    actor: &str,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO review_steps (effect, at, step, actor, note) VALUES ($1, $2, $3, $4, $5)",
        effect,
        now,
        step.as_str(),
        actor,
        note,
    )
    .execute(tx)
    .await
    .map_err(Error::of("note a step of a review"))?;
    Ok(())
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewStep {
    /// When.
    pub at: DateTime<Utc>,
    /// What happened.
    pub step: String,
    /// Who or what did it.
    pub actor: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The story so far, oldest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn steps_of(connection: &mut PgConnection, effect: i64) -> Result<Vec<ReviewStep>, Error> {
    sqlx::query_as!(
        ReviewStep,
        "SELECT at, step, actor, note FROM review_steps WHERE effect = $1 ORDER BY id",
        effect
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read the story of a review"))
}
