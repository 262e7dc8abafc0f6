//! What the tests of reviews share: a session that asks, and a worker that reviews.

use crate::bench::{Bench, Platform, noon};
use anyhow::{Context, Result};
use domain::policy::{Conditions, Policy, PolicyRule, Route};
use domain::review::ReviewStatus;
use domain::{Answer, Clock, Effect, EffectKind, ResourceKind, ResourceRef, Standing};
use ops::effects::Runner;
use ops::reviews::{By, Metrics, NotDecided, Reviewer, Rules, decide};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{NewEffect, Review, ReviewStep};

/// A bench, a platform, and what a worker needs to review.
pub(crate) struct Desk {
    pub(crate) bench: Bench,
    pub(crate) platform: Platform,
}

impl Desk {
    pub(crate) async fn new() -> Result<Self> {
        Ok(Self { bench: Bench::new().await?, platform: Platform::start().await? })
    }

    /// A session with these events, the newest last.
    pub(crate) async fn session(&self, id: &str, events: &[Value]) -> Result<()> {
        let agent = json!({ "id": "agent_1", "name": "Support desk" });
        self.platform.session(id, &json!({ "title": "Order 8841", "agent": agent }), events).await
    }

    /// Records that these tool uses of a session wait, as applying an event does.
    pub(crate) async fn waits(&self, session_id: &str, keys: &[&str]) -> Result<()> {
        self.stands(session_id, keys, Standing::Due).await
    }

    pub(crate) async fn stands(&self, session_id: &str, keys: &[&str], standing: Standing) -> Result<()> {
        let resource =
            ResourceRef { kind: ResourceKind::Session, id: session_id.to_owned(), parent_id: None };
        let effect = |key: &&str| Effect {
            kind: EffectKind::Review,
            key: (*key).to_owned(),
            standing,
            detail: "tool use waits for an answer".to_owned(),
        };
        let new: Vec<NewEffect<'_>> =
            keys.iter().map(|key| NewEffect { resource: &resource, event: 1, effect: effect(key) }).collect();
        let mut tx = self.bench.store.begin("record").await?;
        store::record_effects(&mut tx, &new, noon()).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) fn reviewer(&self, policy: Policy) -> Result<Reviewer> {
        self.reviewer_with(Rules { policy: Arc::new(policy), ..Rules::default() })
    }

    pub(crate) fn reviewer_with(&self, rules: Rules) -> Result<Reviewer> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.bench.clock) as _;
        let (store, claude) = (self.bench.store.clone(), self.platform.client()?);
        Ok(Reviewer::new(store, claude, clock, || 0.5, Metrics::default(), rules))
    }

    /// One round of a worker. Returns how many reviews it claimed.
    pub(crate) async fn round(&self, policy: Policy) -> Result<usize> {
        self.round_of(self.reviewer(policy)?).await
    }

    pub(crate) async fn round_of(&self, reviewer: Reviewer) -> Result<usize> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.bench.clock) as _;
        let store = self.bench.store.clone();
        let runner = Runner::new(EffectKind::Review, reviewer, store, clock, || 0.0, 8);
        Ok(runner.round().await?)
    }

    pub(crate) async fn find(&self, id: &str) -> Result<Review> {
        let mut connection = self.bench.store.connection().await?;
        let mut found = store::find_reviews(&mut connection, id, 1).await?;
        if found.is_empty() {
            // Reviews that are over and were never looked up are found by their effect only.
            let effect = self.bench.texts(format!("SELECT id::text FROM effects WHERE key = '{id}'")).await?;
            let effect = effect.first().context("no such effect")?.parse()?;
            found.extend(store::find_review(&mut connection, effect).await?);
        }
        found.pop().with_context(|| format!("there is no review of {id}"))
    }

    pub(crate) async fn status(&self, id: &str) -> Result<ReviewStatus> {
        Ok(self.find(id).await?.status)
    }

    pub(crate) async fn steps(&self, id: &str) -> Result<Vec<ReviewStep>> {
        let effect = self.find(id).await?.effect;
        let mut connection = self.bench.store.connection().await?;
        Ok(store::steps_of(&mut connection, effect).await?)
    }

    pub(crate) async fn decide(&self, id: &str, answer: &Answer, who: &str) -> Result<Review, NotDecided> {
        let effect = self.find(id).await.map_or(0, |review| review.effect);
        decide(&self.bench.store, &*self.bench.clock, effect, answer, By::Person(who)).await
    }

    /// The replies that are to be posted, in order.
    pub(crate) async fn replies(&self) -> Result<Vec<Value>> {
        let texts = self.bench.texts("SELECT reply::text FROM replies ORDER BY event").await?;
        Ok(texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?)
    }

    /// Kind and key of the alerts that are open.
    pub(crate) async fn alerts(&self) -> Result<Vec<String>> {
        self.bench.texts("SELECT kind || ' ' || key FROM alerts WHERE resolved_at IS NULL ORDER BY id").await
    }
}

/// A use of a custom tool.
pub(crate) fn custom(id: &str) -> Value {
    json!({ "id": id, "type": "agent.custom_tool_use", "name": "issue_refund", "input": { "order": 8841 } })
}

/// A use of a tool of the agent's own, with what its policy says.
pub(crate) fn bash(id: &str, permission: &str) -> Value {
    json!({ "id": id, "type": "agent.tool_use", "name": "bash", "input": { "command": "ls" },
        "evaluated_permission": permission })
}

/// Something that was said.
pub(crate) fn said(from: &str, text: &str) -> Value {
    json!({ "type": format!("{from}.message"), "content": [{ "type": "text", "text": text }] })
}

/// The session goes idle and waits for these.
pub(crate) fn idle(ids: &[&str]) -> Value {
    json!({ "type": "session.status_idle", "stop_reason": { "type": "requires_action", "event_ids": ids } })
}

/// A policy of one rule for everything.
pub(crate) fn always(route: Route) -> Policy {
    let rule = PolicyRule { name: "all".to_owned(), when: Conditions::default(), route };
    Policy { rules: vec![rule], ..Policy::default() }
}
