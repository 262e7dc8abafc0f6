//! Calling an executor: what is written before the call and after it, so that a worker may die at any line.
//!
//! Before: the number of the call, and that it is under way. After, in one transaction: the answer, or the failure with
//! what follows it. A row that says a call is under way while nobody holds the effect is the trace of a worker that died.

use super::decide::{By, decide_in};
use super::refusal::NotDecided;
use super::{POSTGRES_LIMIT, Reviewer, asker};
use crate::effects::NotCarriedOut;
use crate::executors::{Executor, FailedCall};
use chrono::{DateTime, Utc};
use domain::policy::{OnFailure, Reached};
use domain::review::ReviewStatus;
use domain::{AlertKind, Answer};
use std::time::Duration;
use store::{DueEffect, NewAlert, Review, Step, Tx};
use telemetry::Chain;
use tokio::time::{Instant, sleep};

/// How long a worker tries to write an answer that it has, before it leaves the review to whoever claims it next.
const WRITE_LIMIT: Duration = Duration::from_secs(60);

/// How long it rests in between.
const WRITE_REST: Duration = Duration::from_secs(1);

/// What the agent is told when its tool failed.
const FAILED: &str = "The tool failed and was given up.";

/// What is to be done with a claimed review.
enum Turn {
    /// The executor is to be called, for the so many-th time.
    Call(Box<Review>, u32),
    /// Nothing: it is over, a person's, or given up by now.
    Nothing,
}

impl Reviewer {
    /// The next step of a review that an executor is to answer.
    pub(super) async fn execute(&self, effect: &DueEffect, review: &Review) -> Result<(), NotCarriedOut> {
        let name = review.executor.as_deref().unwrap_or_default();
        let Some(executor) = self.executors.get(name) else {
            let because = format!("there is no executor {name:?} in the policy of this worker");
            return self.hand_over(effect, &because).await;
        };
        let beginning = Box::pin(self.begin(effect, name, executor));
        let turn = self.store.within(POSTGRES_LIMIT, "begin a call", beginning).await;
        let (review, attempt) = match turn.map_err(not_carried_out)? {
            Turn::Call(review, attempt) => (review, attempt),
            Turn::Nothing => return Ok(()),
        };
        let called = self.executors.call(executor, &review, attempt, self.clock.now()).await;
        let outcome = called.as_ref().err().map_or("answered", |failed| failed.outcome);
        self.metrics.count_call(name, outcome);
        let give_up_at = Instant::now() + WRITE_LIMIT;
        loop {
            let ending = Box::pin(self.end(effect, name, executor, attempt, &called));
            match self.store.within(POSTGRES_LIMIT, "end a call", ending).await {
                Err(NotDecided::Store(error)) if error.is_unavailable() && Instant::now() < give_up_at => {
                    tracing::debug!(error = %Chain(&error), key = effect.key, "answer of an executor waits for Postgres");
                    sleep(WRITE_REST).await;
                }
                ended => return ended.map_err(not_carried_out),
            }
        }
    }

    /// Writes that a call begins, or finds out that none may.
    async fn begin(&self, effect: &DueEffect, name: &str, executor: &Executor) -> Result<Turn, NotDecided> {
        let now = self.clock.now();
        let mut tx = self.store.begin("begin a call").await?;
        let Some(review) = self.lock(&mut tx, effect, name).await? else { return Ok(Turn::Nothing) };
        let actor = By::Executor(name).to_string();
        let mut attempt = review.calls + 1;
        if review.called_at.is_some() {
            let note = Some("the worker that called it died");
            store::note_step(&mut tx, effect.id, Step::CallLost, &actor, note, now).await?;
            self.metrics.count_call(name, "lost");
            if executor.plan.at_most_once {
                let why = "a worker died while it called, and it is called at most once";
                self.give_up(&mut tx, effect, &review, executor, why, now).await?;
                tx.commit().await?;
                return Ok(Turn::Nothing);
            }
            // The same attempt, under the same id: the executor can tell that it comes again.
            attempt = review.calls;
        }
        store::begin_call(&mut tx, effect.id, attempt, now).await?;
        let note = format!("attempt {attempt}");
        store::note_step(&mut tx, effect.id, Step::Called, &actor, Some(&note), now).await?;
        tx.commit().await?;
        Ok(Turn::Call(Box::new(review), attempt))
    }

    /// Writes what the call has brought.
    async fn end(
        &self,
        effect: &DueEffect,
        name: &str,
        executor: &Executor,
        attempt: u32,
        called: &Result<Answer, FailedCall>,
    ) -> Result<(), NotDecided> {
        let now = self.clock.now();
        let mut tx = self.store.begin("end a call").await?;
        let actor = By::Executor(name).to_string();
        let locked = self.lock(&mut tx, effect, name).await?;
        let Some(review) = locked.filter(|review| review.called_at.is_some() && review.calls == attempt)
        else {
            // Overtaken while the call was under way; or this is the second time, and the first one was committed.
            return Ok(());
        };
        match called {
            Ok(answer) => {
                decide_in(&mut tx, &review, answer, By::Executor(name), now).await?;
                self.metrics.count_decision("executor", answer.as_str());
            }
            Err(failed) => {
                store::end_call(&mut tx, effect.id).await?;
                let note = Some(failed.error.as_str());
                store::note_step(&mut tx, effect.id, Step::CallFailed, &actor, note, now).await?;
                self.after_failure(&mut tx, effect, &review, executor, failed, now).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    async fn after_failure(
        &self,
        tx: &mut Tx,
        effect: &DueEffect,
        review: &Review,
        executor: &Executor,
        failed: &FailedCall,
        now: DateTime<Utc>,
    ) -> Result<(), NotDecided> {
        let plan = &executor.plan;
        let next = plan.next_call(review.calls, failed.reached, now, failed.retry_after, (self.dice)());
        if let Some(at) = next {
            store::postpone_effect(tx, effect.id, Some(at), Some(&failed.error)).await?;
            return Ok(());
        }
        let only_once = plan.at_most_once && failed.reached == Reached::Maybe;
        let why = if only_once { "it is called at most once" } else { "all its tries are used up" };
        let why = format!("{why}: {}", failed.error);
        self.give_up(tx, effect, review, executor, &why, now).await
    }

    /// The executor is not called again: others are told, and the agent or a person is next.
    async fn give_up(
        &self,
        tx: &mut Tx,
        effect: &DueEffect,
        review: &Review,
        executor: &Executor,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), NotDecided> {
        let name = review.executor.as_deref().unwrap_or_default();
        let tool = review.tool.as_deref().unwrap_or("a tool");
        let title = format!("executor {name} did not answer the use of {tool} by {}", asker(review));
        let alert = NewAlert {
            kind: AlertKind::ExecutorFailed.as_str(),
            key: &review.id,
            severity: AlertKind::ExecutorFailed.severity(),
            resource: Some(&effect.resource),
            title: &title,
            details: serde_json::json!({
                "review": review.id, "executor": name, "tool": review.tool, "error": why, "calls": review.calls,
            }),
            event: Some(effect.event),
        };
        store::raise_alert(tx, &alert, now).await?;
        match (executor.plan.on_failure, review.kind) {
            (OnFailure::Error, Some(kind)) => {
                let answer = Answer::refusal(kind, Some(FAILED));
                decide_in(tx, review, &answer, By::Executor(name), now).await?;
                self.metrics.count_decision("executor", answer.as_str());
            }
            (OnFailure::Error | OnFailure::Person, _) => {
                let because = format!("executor {name} gave no answer: {why}");
                store::hand_over(tx, effect.id, self.policy.patience, &because, now).await?;
                store::note_step(tx, effect.id, Step::HandedOver, "policy", Some(&because), now).await?;
            }
        }
        Ok(())
    }

    /// The review, locked, if it still is this executor's.
    async fn lock(
        &self,
        tx: &mut Tx,
        effect: &DueEffect,
        name: &str,
    ) -> Result<Option<Review>, store::Error> {
        let locked = store::lock_review(tx, effect.id).await?;
        Ok(locked.filter(|review| {
            review.status == ReviewStatus::Executing && review.executor.as_deref() == Some(name)
        }))
    }
}

fn not_carried_out(error: NotDecided) -> NotCarriedOut {
    NotCarriedOut::new(Chain(&error).to_string())
}
