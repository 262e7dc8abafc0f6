//! Decisions go out once, whatever happens on the way.

use crate::bench::{Bench, PATIENCE, Platform, Replier, Worker, after, answer};
use anyhow::Result;
use broker::{Inspector, Queue};
use domain::EventStatus;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

mod dying;
mod failing;
mod past;

/// A session that waits for two answers, and who may give them.
struct Waiting {
    bench: Bench,
    platform: Platform,
}

impl Waiting {
    async fn new() -> Result<Self> {
        let (bench, platform) = (Bench::new().await?, Platform::start().await?);
        platform.waiting("sesn_1").await?;
        Ok(Self { bench, platform })
    }

    /// Asserts that each of these tool uses has been answered once, and no other.
    async fn answered(&self, tool_uses: &[&str]) -> Result<()> {
        let expected: BTreeMap<String, usize> = tool_uses.iter().map(|id| ((*id).to_owned(), 1)).collect();
        assert_eq!(self.platform.answers("sesn_1").await?, expected);
        Ok(())
    }

    /// Asserts that nothing is left anywhere, and no row contradicts another.
    async fn settled(&self) -> Result<()> {
        self.bench.until_ready(Queue::Replies, 0).await?;
        assert_eq!(self.bench.number("SELECT count(*) FROM outbox").await?, 0);
        let ledger = self.bench.ledger().await?;
        assert!(ledger.balances(), "{ledger:?}");
        assert_eq!(self.bench.contradictions().await?, []);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_posted_and_its_request_done_with() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    let replier = Replier::start(bench, platform, "worker-1")?;
    bench.until_reply(&id, "posted").await?;
    assert_eq!(bench.reply(&id).await?, ("posted".to_owned(), true));
    assert_eq!(bench.detail(&id).await?.row.status, EventStatus::Applied.as_str());
    waiting.answered(&["sesn_1_ask_1"]).await?;
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_one_session_that_are_ready_together_share_a_call() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let ids = [bench.decide("sesn_1", "sesn_1_ask_1").await?, bench.decide("sesn_1", "sesn_1_ask_2").await?];
    let relay = bench.relay().await?;
    bench.until_ready(Queue::Replies, 2).await?;
    let replier = Replier::with(bench, platform.client()?, "worker-1", Duration::from_millis(500))?;
    for id in &ids {
        bench.until_reply(id, "posted").await?;
    }
    assert_eq!(platform.calls("POST /v1/sessions/{session_id}/events").await?, 1);
    waiting.answered(&["sesn_1_ask_1", "sesn_1_ask_2"]).await?;
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_and_many_copies_of_a_message_make_one_answer() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    bench.until_ready(Queue::Replies, 1).await?;
    let copies = {
        let detail = bench.detail(&id).await?;
        let message = broker::Message {
            event_id: id.clone(),
            endpoint: detail.row.endpoint,
            payload: detail.payload.into(),
            content_type: None,
            received_at: after(0),
            generation: 1,
            tries: 0,
            traceparent: None,
            failure: None,
        };
        vec![message; 30]
    };
    bench.publish(Queue::Replies, &copies).await?;
    let workers =
        [Replier::start(bench, platform, "worker-1")?, Replier::start(bench, platform, "worker-2")?];
    bench.until_reply(&id, "posted").await?;
    // Copies that were held off come again when the lease of the other worker would have ended.
    bench.advance(400);
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Replies, 0).await?;
    for worker in workers {
        worker.stopped().await?;
    }
    relay.stopped_within(PATIENCE).await?;
    waiting.answered(&["sesn_1_ask_1"]).await?;
    waiting.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_in_the_queue_of_events_finds_its_way() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    bench.until_ready(Queue::Replies, 1).await?;
    relay.stopped_within(PATIENCE).await?;
    let detail = bench.detail(&id).await?;
    let message = broker::Message {
        event_id: id.clone(),
        endpoint: detail.row.endpoint,
        payload: detail.payload.into(),
        content_type: None,
        received_at: after(0),
        generation: 1,
        tries: 0,
        traceparent: None,
        failure: None,
    };
    Inspector::connect(&bench.broker).await?.purge(Queue::Replies).await?;
    bench.publish(Queue::Work, &[message]).await?;
    let worker = Worker::start(bench, platform).await?;
    bench.until_ready(Queue::Replies, 1).await?;
    assert_eq!(bench.detail(&id).await?.row.status, EventStatus::Pending.as_str());
    let replier = Replier::start(bench, platform, "worker-1")?;
    bench.until_reply(&id, "posted").await?;
    replier.stopped().await?;
    worker.stopped().await?;
    waiting.answered(&["sesn_1_ask_1"]).await?;
    waiting.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_reply_ends_among_the_dead_letters() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let event = crate::bench::platform_event("whe_1", "session.running", "sesn_1", 0)?;
    bench.stored(std::slice::from_ref(&event)).await?;
    bench.publish(Queue::Replies, &[crate::bench::message(&event)]).await?;
    let replier = Replier::start(bench, platform, "worker-1")?;
    bench.until_ready(Queue::Dead, 1).await?;
    replier.stopped().await?;
    assert_eq!(bench.detail("whe_1").await?.row.status, EventStatus::Pending.as_str());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_wrong_kind_is_refused_alone_and_is_dead_at_once() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    let wrong = json!({ "type": "user.tool_confirmation", "tool_use_id": "sesn_1_ask_1", "result": "allow" });
    let refused = bench.decide_so("sesn_1", "sesn_1_ask_1", &wrong).await?;
    let good = bench.decide("sesn_1", "sesn_1_ask_2").await?;
    let relay = bench.relay().await?;
    bench.until_ready(Queue::Replies, 2).await?;
    let replier = Replier::with(bench, platform.client()?, "worker-1", Duration::from_millis(500))?;
    bench.until_reply(&good, "posted").await?;
    bench.until_reply(&refused, "failed").await?;
    let dead = bench.detail(&refused).await?.row;
    assert_eq!((dead.status.as_str(), dead.error_class.as_deref()), ("dead", Some("permanent")));
    assert_eq!(bench.reply(&refused).await?, ("failed".to_owned(), false));
    waiting.answered(&["sesn_1_ask_2"]).await?;

    // Closed by a person, and decided anew.
    let filter = store::DeadFilter::default();
    ops::dead::discard(&bench.store, &*bench.clock, &filter, "wrong kind").await?;
    let again = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    assert_eq!(again, "reply_sesn_1_ask_1_2");
    bench.until_reply(&again, "posted").await?;
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.answered(&["sesn_1_ask_1", "sesn_1_ask_2"]).await?;
    let _sent = answer("sesn_1_ask_1");
    waiting.settled().await
}
