//! Decisions, and workers that post them.

use super::{Bench, Duty, PATIENCE, Platform, processing};
use anyhow::{Context as _, Result, ensure};
use broker::{Consumer, ConsumerConfig, Control, Queue};
use domain::{Clock, Effect, EffectKind, ResourceKind, ResourceRef, Standing};
use ops::replies::{Config, Metrics, Poster};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use store::{NewEffect, NewReply};
use testkit::eventually;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The answer to a custom tool use.
pub(crate) fn answer(tool_use: &str) -> Value {
    json!({
        "type": "user.custom_tool_result",
        "custom_tool_use_id": tool_use,
        "content": [{ "type": "text", "text": format!("done: {tool_use}") }],
        "is_error": false,
    })
}

impl Bench {
    /// Decides on a tool use of a session: the request is recorded if it is not, and the decision accepted. Returns the
    /// id of the decision's event.
    pub(crate) async fn decide(&self, session: &str, tool_use: &str) -> Result<String> {
        self.decide_so(session, tool_use, &answer(tool_use)).await
    }

    pub(crate) async fn decide_so(&self, session: &str, tool_use: &str, reply: &Value) -> Result<String> {
        let now = self.clock.now();
        let cause = super::platform_event(&format!("cause_{tool_use}"), "session.status_idled", session, -1)?;
        let resource = ResourceRef { kind: ResourceKind::Session, id: session.to_owned(), parent_id: None };
        let mut tx = self.store.begin("decide").await?;
        store::accept_batch(&mut tx, std::slice::from_ref(&cause), None).await?;
        let standing = store::lock_events(&mut tx, &[cause.key()]).await?;
        let event = standing.values().next().context("no cause")?.event;
        // What led to the request is no part of these tests.
        let done = store::Finished { event, status: domain::EventStatus::Applied };
        store::finish(&mut tx, &[done], now).await?;
        let effect = Effect {
            kind: EffectKind::Review,
            key: tool_use.to_owned(),
            standing: Standing::Due,
            detail: "waits".to_owned(),
        };
        store::record_effects(&mut tx, &[NewEffect { resource: &resource, event, effect }], now).await?;
        tx.commit().await?;
        let effect = self.texts(format!("SELECT id::text FROM effects WHERE key = '{tool_use}'")).await?;
        let effect = effect.first().context("no request")?.parse()?;
        let new = NewReply { effect, session_id: session, tool_use_id: tool_use, reply, decided_by: "ada" };
        let mut tx = self.store.begin("decide").await?;
        let event = store::accept_reply(&mut tx, &new, now).await?;
        tx.commit().await?;
        let id = self.texts(format!("SELECT event_id FROM events WHERE id = {event}")).await?;
        id.into_iter().next().context("no event")
    }

    /// The state of a reply, and whether its request is done with.
    pub(crate) async fn reply(&self, event_id: &str) -> Result<(String, bool)> {
        let rows = self
            .texts(format!(
                "SELECT state || ' ' || (done_at IS NOT NULL) FROM replies \
                 JOIN events ON events.id = event JOIN effects ON effects.id = effect WHERE event_id = '{event_id}'"
            ))
            .await?;
        let row = rows.first().context("no such reply")?;
        let (state, done) = row.split_once(' ').context("two words")?;
        Ok((state.to_owned(), done.parse()?))
    }

    /// Waits until a reply is in that state.
    pub(crate) async fn until_reply(&self, event_id: &str, wanted: &str) -> Result<()> {
        eventually(PATIENCE, &format!("{event_id}: {wanted}"), async || {
            let (state, done) = self.reply(event_id).await?;
            let detail = self.detail(event_id).await?;
            ensure!(state == wanted, "it is {state} ({done}); {:?}, due at {:?}", detail.row, detail.due_at);
            Ok(Some(()))
        })
        .await
    }

    /// What no rule of the audit allows.
    pub(crate) async fn contradictions(&self) -> Result<Vec<store::Contradiction>> {
        let mut connection = self.store.connection().await?;
        let rules = store::contradictions(&mut connection).await?;
        Ok(rules.into_iter().filter(|rule| rule.rows > 0).collect())
    }
}

/// A worker that posts replies. Dropping it is a crash.
pub(crate) struct Replier {
    drain: CancellationToken,
    duty: Duty,
}

impl Replier {
    pub(crate) fn start(bench: &Bench, platform: &Platform, name: &str) -> Result<Self> {
        Self::with(bench, platform.client()?, name, Duration::from_millis(20))
    }

    /// One that waits so long for further replies of a session.
    pub(crate) fn with(bench: &Bench, claude: claude::Client, name: &str, linger: Duration) -> Result<Self> {
        let config = Config { linger, ..Config::new(processing()?.policy, name.to_owned()) };
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        let poster = Poster::new(config, bench.store.clone(), claude, clock, || 0.5, Metrics::default());
        let consumer = Consumer::new(
            bench.broker.clone(),
            ConsumerConfig::new(Queue::Replies, 20),
            broker::Metrics::default(),
        );
        let (sink, deliveries) = mpsc::channel(20);
        let drain = CancellationToken::new();
        let stop = drain.clone();
        let duty = Duty::start(|close| async move {
            let control = Control::running(stop.clone(), close);
            let consuming = consumer.run(sink, control);
            tokio::join!(consuming, poster.run(deliveries, stop));
        });
        Ok(Self { drain, duty })
    }

    /// Dies, and returns when nothing of it moves any more.
    pub(crate) async fn killed(mut self) {
        self.duty.tasks.shutdown().await;
    }

    /// Finishes what it has, as after a SIGTERM.
    pub(crate) async fn stopped(self) -> Result<()> {
        self.drain.cancel();
        timeout(PATIENCE, self.duty.stopped_within(PATIENCE)).await?
    }
}
