//! Human review: what a waiting session asks is looked up, put to whoever the policy names, and answered once.
//!
//! A review is an effect that waits. Its [`Reviewer`] is a small state machine on the row of the review: look the
//! question up; then wait for a person and tell others when nobody came, or answer by the policy, or call an executor. What
//! is decided, by whomever, goes through [`decide`], where the lock of the effect lets one decision in.

mod decide;
mod desk;
mod execute;
mod look;
mod metrics;
mod prepare;
mod refusal;
mod watch;

pub use decide::{By, decide};
pub use desk::{claim, release};
pub use metrics::Metrics;
pub use refusal::NotDecided;
pub use watch::Watch;

use crate::effects::{Handler, NotCarriedOut};
use crate::executors::Executors;
use domain::policy::{Policy, Route};
use domain::review::ReviewStatus;
use domain::{AlertKind, Answer, Clock};
use std::sync::Arc;
use std::time::Duration;
use store::{DueEffect, NewAlert, Review, Step, Store};
use tokio::sync::Mutex;

/// How long a transaction about a review may take, network included.
const POSTGRES_LIMIT: Duration = Duration::from_secs(15);

/// Sessions are looked up so many at a time; those that share a place wait for each other.
const PLACES: usize = 16;

/// Who answers.
#[derive(Clone, Default)]
pub struct Rules {
    /// The rules.
    pub policy: Arc<Policy>,
    /// The programs that they name.
    pub executors: Executors,
}

/// Carries out effects of kind `review`.
pub struct Reviewer {
    store: Store,
    claude: claude::Client,
    clock: Arc<dyn Clock>,
    policy: Arc<Policy>,
    executors: Executors,
    /// A draw from 0 to 1, for jitter.
    dice: fn() -> f64,
    metrics: Metrics,
    /// One look serves all reviews of a session: the second waits for the first and finds its own row written.
    places: [Mutex<()>; PLACES],
}

impl Reviewer {
    /// A reviewer. Any number of processes may have one; they should have the same policy.
    pub fn new(
        store: Store,
        claude: claude::Client,
        clock: Arc<dyn Clock>,
        dice: fn() -> f64,
        metrics: Metrics,
        rules: Rules,
    ) -> Self {
        let places = std::array::from_fn(|_| Mutex::new(()));
        let Rules { policy, executors } = rules;
        Self { store, claude, clock, policy, executors, dice, metrics, places }
    }

    async fn find(&self, effect: i64) -> Result<Option<Review>, store::Error> {
        let finding = async {
            let mut connection = self.store.connection().await?;
            store::find_review(&mut connection, effect).await
        };
        self.store.within(POSTGRES_LIMIT, "find a review", finding).await
    }

    /// Nothing is left to do by itself until `due_at`.
    async fn rest(
        &self,
        effect: i64,
        due_at: Option<chrono::DateTime<chrono::Utc>>,
    ) -> Result<(), NotCarriedOut> {
        let resting = async {
            let mut connection = self.store.connection().await?;
            store::postpone_effect(&mut connection, effect, due_at, None).await
        };
        Ok(self.store.within(POSTGRES_LIMIT, "put off a review", resting).await?)
    }

    /// A person is asked. Tells others when the person should have answered by now.
    async fn wait_for_person(&self, effect: &DueEffect, review: &Review) -> Result<(), NotCarriedOut> {
        let now = self.clock.now();
        match review.due_at {
            Some(due_at) if review.escalated_at.is_none() && due_at > now => {
                self.rest(effect.id, Some(due_at)).await
            }
            Some(_) if review.escalated_at.is_none() => {
                let telling = self.tell(effect);
                Ok(self.store.within(POSTGRES_LIMIT, "tell of an overdue review", telling).await?)
            }
            Some(_) | None => self.rest(effect.id, None).await,
        }
    }

    async fn tell(&self, effect: &DueEffect) -> Result<(), store::Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("tell of an overdue review").await?;
        // Somebody may have decided since the row was read.
        let locked = store::lock_review(&mut tx, effect.id).await?;
        let Some(review) = locked.filter(|review| review.status == ReviewStatus::Open) else {
            return Ok(());
        };
        store::mark_overdue(&mut tx, effect.id, now).await?;
        store::note_step(&mut tx, effect.id, Step::Overdue, "policy", None, now).await?;
        let tool = review.tool.as_deref().unwrap_or("a tool");
        let title = format!("nobody has answered the use of {tool} by {}", asker(&review));
        let alert = NewAlert {
            kind: AlertKind::ReviewOverdue.as_str(),
            key: &review.id,
            severity: review.severity.unwrap_or_else(|| AlertKind::ReviewOverdue.severity()),
            resource: Some(&effect.resource),
            title: &title,
            details: serde_json::json!({
                "review": review.id, "tool": review.tool, "agent": review.agent_name, "agent_id": review.agent_id,
                "session_title": review.session_title, "due_at": review.due_at, "claimed_by": review.claimed_by,
            }),
            event: Some(effect.event),
        };
        store::raise_alert(&mut tx, &alert, now).await?;
        tx.commit().await
    }

    /// The policy answers by itself.
    async fn answer(&self, effect: &DueEffect, answer: &Answer) -> Result<(), NotCarriedOut> {
        let decided = decide(&self.store, &*self.clock, effect.id, answer, By::Policy).await;
        match decided {
            Ok(review) => {
                let route = if review.route.as_deref() == Some("allow") { "allow" } else { "deny" };
                self.metrics.count_decision(route, answer.as_str());
                Ok(())
            }
            Err(NotDecided::Store(error)) => Err(error.into()),
            // Overtaken, or decided by somebody else meanwhile.
            Err(_over) => self.rest(effect.id, None).await,
        }
    }
}

/// For people: who asks.
fn asker(review: &Review) -> &str {
    review.agent_name.as_deref().or(review.agent_id.as_deref()).unwrap_or("an agent")
}

/// One reviewer for several runners.
impl Handler for Arc<Reviewer> {
    async fn carry_out(&self, effect: &DueEffect) -> Result<(), NotCarriedOut> {
        Reviewer::carry_out(self, effect).await
    }
}

impl Handler for Reviewer {
    async fn carry_out(&self, effect: &DueEffect) -> Result<(), NotCarriedOut> {
        let review = match self.find(effect.id).await? {
            None => return Ok(()),
            Some(review) if review.status == ReviewStatus::Preparing => {
                self.prepare(effect).await?;
                match self.find(effect.id).await? {
                    Some(review) => review,
                    None => return Ok(()),
                }
            }
            Some(review) => review,
        };
        let kind = match (review.status, review.kind) {
            (ReviewStatus::Open | ReviewStatus::Executing, Some(kind)) => kind,
            _ => return self.rest(effect.id, None).await,
        };
        match review.route.as_deref() {
            Some("allow") => self.answer(effect, &Answer::Allow).await,
            Some("deny") => self.answer(effect, &Answer::refusal(kind, review.message.as_deref())).await,
            Some("executor") => self.execute(effect, &review).await,
            _ => self.wait_for_person(effect, &review).await,
        }
    }
}

impl Reviewer {
    /// A person is asked in the place of an executor.
    async fn hand_over(&self, effect: &DueEffect, because: &str) -> Result<(), NotCarriedOut> {
        let handing = async {
            let now = self.clock.now();
            let mut tx = self.store.begin("hand a review over").await?;
            let locked = store::lock_review(&mut tx, effect.id).await?;
            if locked.is_none_or(|review| review.status != ReviewStatus::Executing) {
                return Ok(());
            }
            store::hand_over(&mut tx, effect.id, self.policy.patience, because, now).await?;
            store::note_step(&mut tx, effect.id, Step::HandedOver, "policy", Some(because), now).await?;
            tx.commit().await
        };
        Ok(self.store.within(POSTGRES_LIMIT, "hand a review over", handing).await?)
    }
}

/// The route in a word or two, for the story of a review.
fn in_words(route: &Route) -> String {
    match route {
        Route::Executor { name } => format!("executor {name}"),
        Route::Person(_) | Route::Allow | Route::Deny { .. } => route.as_str().to_owned(),
    }
}
