//! The one way by which a review is decided.

use super::POSTGRES_LIMIT;
use super::refusal::{NotDecided, why_obsolete};
use chrono::{DateTime, Utc};
use domain::review::ReviewStatus;
use domain::{AlertKind, Answer, Clock};
use std::fmt;
use store::{NewReply, Review, Step, Store, Tx};

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// A person, by name.
    Person(&'a str),
    /// A rule of the policy.
    Policy,
    /// An executor, by name.
    Executor(&'a str),
}

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Policy => f.write_str("policy"),
            Self::Executor(name) => write!(f, "executor:{name}"),
        }
    }
}

/// Decides a review: the decision and the reply that carries it are one commit. Of several who decide at once, one does.
/// Returns the review as it was before.
///
/// # Errors
/// When the review is not there to be decided, the answer does not fit the question, or Postgres is away.
pub async fn decide(
    store: &Store,
    clock: &dyn Clock,
    effect: i64,
    answer: &Answer,
    by: By<'_>,
) -> Result<Review, NotDecided> {
    // Boxed: commands hold it on their stack.
    let deciding = Box::pin(decide_once(store, clock, effect, answer, by));
    store.within(POSTGRES_LIMIT, "decide a review", deciding).await
}

async fn decide_once(
    store: &Store,
    clock: &dyn Clock,
    effect: i64,
    answer: &Answer,
    by: By<'_>,
) -> Result<Review, NotDecided> {
    let mut tx = store.begin("decide a review").await?;
    let review = store::lock_review(&mut tx, effect).await?.ok_or(NotDecided::Unknown)?;
    let decided = decide_in(&mut tx, &review, answer, by, clock.now()).await;
    finish(tx, decided).await?;
    Ok(review)
}

/// Commits. A refusal has written nothing: its commit only lets the lock go, at once and without costing the connection.
pub(super) async fn finish<T>(tx: Tx, outcome: Result<T, NotDecided>) -> Result<T, NotDecided> {
    if !matches!(outcome, Err(NotDecided::Store(_))) {
        tx.commit().await?;
    }
    outcome
}

/// Decides a review whose lock the transaction holds. A refusal writes nothing.
pub(super) async fn decide_in(
    tx: &mut Tx,
    review: &Review,
    answer: &Answer,
    by: By<'_>,
    now: DateTime<Utc>,
) -> Result<(), NotDecided> {
    check(review, by, now)?;
    let kind = review.kind.ok_or(NotDecided::Unknown)?;
    let reply = answer.reply(kind, &review.id)?;
    let actor = by.to_string();
    let new = NewReply {
        effect: review.effect,
        session_id: &review.session_id,
        tool_use_id: &review.id,
        reply: &reply,
        decided_by: &actor,
    };
    store::accept_reply(tx, &new, now).await?;
    store::record_answer(tx, review.effect, answer, &actor, now).await?;
    store::note_step(tx, review.effect, Step::Decided, &actor, Some(answer.as_str()), now).await?;
    if review.escalated_at.is_some() {
        store::resolve_alert(tx, AlertKind::ReviewOverdue.as_str(), &review.id, now).await?;
    }
    Ok(())
}

/// Whether `by` may decide now.
pub(super) fn check(review: &Review, by: By<'_>, now: DateTime<Utc>) -> Result<(), NotDecided> {
    let decided_by = || review.decided_by.clone().unwrap_or_else(|| "somebody".to_owned());
    match (review.status, by) {
        (ReviewStatus::Preparing, _) => Err(NotDecided::Preparing { last_error: review.last_error.clone() }),
        (ReviewStatus::Open, By::Person(who)) if review.is_claimed_from(who, now) => {
            Err(NotDecided::Claimed {
                by: review.claimed_by.clone().unwrap_or_default(),
                until: review.claimed_until.unwrap_or(now),
            })
        }
        (ReviewStatus::Open, By::Person(_)) => Ok(()),
        (ReviewStatus::Executing, By::Policy | By::Executor(_)) => Ok(()),
        (ReviewStatus::Executing, By::Person(_)) => {
            let policy = || "the policy".to_owned();
            let with = review.executor.as_ref().map_or_else(policy, |name| format!("executor {name}"));
            Err(NotDecided::Executing { with })
        }
        // A program whose question went to a person meanwhile comes too late.
        (ReviewStatus::Open, By::Policy | By::Executor(_)) => {
            Err(NotDecided::Executing { with: "a person".to_owned() })
        }
        (ReviewStatus::Decided, _) => {
            Err(NotDecided::Decided { by: decided_by(), at: review.decided_at.unwrap_or(now) })
        }
        (ReviewStatus::Answered, _) => {
            let elsewhere = review.reply_state.as_deref() == Some("elsewhere");
            Err(NotDecided::Answered { by: review.decided_by.clone().filter(|_| !elsewhere) })
        }
        (ReviewStatus::Failed, _) => Err(NotDecided::Failed {
            by: decided_by(),
            event: review.reply_event.clone().unwrap_or_default(),
        }),
        (ReviewStatus::Obsolete, _) => Err(NotDecided::Obsolete { because: why_obsolete(review) }),
    }
}
