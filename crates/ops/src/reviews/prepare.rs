//! From an effect to a question that somebody can answer.

use super::look::{Seen, Use, look};
use super::{PLACES, POSTGRES_LIMIT, Reviewer, in_words};
use crate::effects::NotCarriedOut;
use domain::review::{Question, ReviewStatus};
use std::hash::{DefaultHasher, Hash, Hasher};
use store::{Closed, DueEffect, NewReview, Step};

/// What the look at one tool use has shown.
struct Found {
    review: NewReview,
    closed: Option<Closed>,
}

impl Reviewer {
    /// Looks the question up, and with it those of all other reviews of the session that were not looked up yet.
    pub(super) async fn prepare(&self, effect: &DueEffect) -> Result<(), NotCarriedOut> {
        let session_id = &effect.resource.id;
        let mut hasher = DefaultHasher::new();
        session_id.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % PLACES as u64).unwrap_or_default();
        let Some(place) = self.places.get(place) else { return Ok(()) };
        let _one_at_a_time = place.lock().await;
        if self.find(effect.id).await?.is_none_or(|review| review.status != ReviewStatus::Preparing) {
            return Ok(());
        }

        let listing = async {
            let mut connection = self.store.connection().await?;
            store::unprepared_reviews(&mut connection, session_id).await
        };
        let mut wanted = self.store.within(POSTGRES_LIMIT, "find reviews to prepare", listing).await?;
        if wanted.iter().all(|(id, _)| *id != effect.id) {
            wanted.push((effect.id, effect.key.clone()));
        }
        let ids: Vec<&str> = wanted.iter().map(|(_, key)| key.as_str()).collect();
        let Some(seen) = look(&self.claude, session_id, &ids).await? else {
            let dropping = async {
                let mut connection = self.store.connection().await?;
                store::drop_review(&mut connection, effect.id).await
            };
            return Ok(self.store.within(POSTGRES_LIMIT, "drop a review", dropping).await?);
        };
        let found: Vec<Found> = wanted
            .iter()
            .filter_map(|(id, key)| Some(self.question(&seen, *id, &seen.tool_use(key)?)))
            .collect();
        let missing = found.iter().all(|found| found.review.effect != effect.id);
        let keeping = self.keep(session_id, found);
        self.store.within(POSTGRES_LIMIT, "keep reviews", Box::pin(keeping)).await?;
        if missing {
            let problem = format!("the session's events do not list the tool use {}", effect.key);
            return Err(NotCarriedOut::new(problem));
        }
        Ok(())
    }

    fn question(&self, seen: &Seen, effect: i64, tool_use: &Use<'_>) -> Found {
        let event = tool_use.event;
        let text = |name: &str| event.member(name).and_then(serde_json::Value::as_str).map(storable);
        let session = &seen.session;
        let question = Question {
            kind: tool_use.kind,
            tool: text("name").unwrap_or_default(),
            server: text("mcp_server_name"),
            permission: text("evaluated_permission"),
            agent_id: session.agent.id.as_deref().map(storable),
            agent_name: session.agent.name.as_deref().map(storable),
        };
        let closed = if seen.is_answered(&event.id) {
            Some(Closed::AnsweredElsewhere)
        } else if seen.is_over() {
            Some(Closed::SessionOver)
        } else if seen.thread_has_ended(tool_use) {
            Some(Closed::ThreadEnded)
        } else if question.needs_nobody() {
            Some(Closed::NeedsNobody)
        } else {
            None
        };
        let routed = self.policy.route(&question);
        let review = NewReview {
            effect,
            tool_use_id: event.id.clone(),
            question,
            input: seen.input(tool_use),
            thread_id: event.session_thread_id().map(storable),
            session_title: session.title.as_deref().map(storable),
            context: seen.context(tool_use),
            asked_at: event.processed_at,
            route: routed.route,
            because: routed.because,
        };
        Found { review, closed }
    }

    async fn keep(&self, session_id: &str, found: Vec<Found>) -> Result<(), store::Error> {
        let now = self.clock.now();
        let (reviews, closed): (Vec<NewReview>, Vec<Option<Closed>>) =
            found.into_iter().map(|found| (found.review, found.closed)).unzip();
        let mut tx = self.store.begin("keep reviews").await?;
        let new = store::keep_reviews(&mut tx, session_id, &reviews, now).await?;
        for (review, closed) in reviews.iter().zip(closed) {
            if !new.contains(&review.effect) {
                continue;
            }
            if let Some(closed) = closed {
                store::close_review(&mut tx, review.effect, closed, now).await?;
                let note = Some(closed.as_str());
                store::note_step(&mut tx, review.effect, Step::Closed, "policy", note, now).await?;
            } else {
                let note = format!("{}: {}", in_words(&review.route), review.because);
                store::note_step(&mut tx, review.effect, Step::Routed, "policy", Some(&note), now).await?;
            }
        }
        tx.commit().await
    }
}

/// Postgres keeps no NUL character in a text.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
