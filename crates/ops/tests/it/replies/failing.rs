//! Posts that fail, or seem to.

use super::Waiting;
use crate::bench::{PATIENCE, Replier, after};
use anyhow::Result;
use broker::Queue;
use domain::EventStatus;
use serde_json::{Value, json};

/// What a platform does to the answer of a post that it carries out.
fn lost_answers() -> [Value; 2] {
    [
        json!({ "status": 500, "phase": "after", "times": 1 }),
        json!({ "body": "cut", "phase": "after", "times": 1 }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_answer_is_lost_is_not_made_again() -> Result<()> {
    for fault in lost_answers() {
        let waiting = Waiting::new().await?;
        let Waiting { bench, platform } = &waiting;
        platform.posts_fail("sesn_1", fault.clone()).await?;
        let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
        let relay = bench.relay().await?;
        let replier = Replier::start(bench, platform, "worker-1")?;
        let failed = bench.until(&id, "one try used", |detail| detail.row.tries == 1).await?;
        assert_eq!((failed.row.status.as_str(), failed.due_at), ("pending", Some(after(10))), "{fault}");
        assert_eq!(bench.reply(&id).await?, ("queued".to_owned(), false), "{fault}");
        bench.advance(10);
        bench.until_reply(&id, "posted").await?;
        assert_eq!(platform.calls("POST /v1/sessions/{session_id}/events").await?, 1, "{fault}");
        waiting.answered(&["sesn_1_ask_1"]).await?;
        replier.stopped().await?;
        relay.stopped_within(PATIENCE).await?;
        waiting.settled().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_failures_make_a_dead_letter_and_a_replay_posts_it() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    platform.posts_fail("sesn_1", json!({ "status": 503 })).await?;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    let replier = Replier::start(bench, platform, "worker-1")?;
    for (tries, rest) in [(1, 10), (2, 60)] {
        bench.until(&id, "another try used", |detail| detail.row.tries == tries).await?;
        bench.advance(rest);
    }
    let dead = bench.until_status(&id, EventStatus::Dead).await?;
    assert_eq!((dead.row.tries, dead.row.error_class.as_deref()), (3, Some("transient")));
    assert_eq!(bench.reply(&id).await?, ("failed".to_owned(), false));
    assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 3);
    bench.until_ready(Queue::Dead, 1).await?;
    bench.until_outbox(0).await?;
    assert!(platform.answers("sesn_1").await?.is_empty());
    let agreement = ops::dead::check(&bench.store, &bench.broker).await?;
    assert!(agreement.agree, "{agreement:?}");
    assert_eq!(bench.contradictions().await?, []);

    platform.heals().await?;
    let mut connection = bench.store.connection().await?;
    let filter = store::DeadFilter { event_ids: Some(vec![id.clone()]), ..store::DeadFilter::default() };
    let batch = store::start_replay(&mut connection, &filter, 1, after(100)).await?;
    let mut tx = bench.store.begin("replay").await?;
    assert_eq!(store::replay_chunk(&mut tx, batch, &filter, 10, after(70)).await?, 1);
    tx.commit().await?;
    bench.until_reply(&id, "posted").await?;
    let detail = bench.detail(&id).await?.row;
    assert_eq!((detail.generation, detail.tries, detail.status.as_str()), (2, 0, "applied"));
    waiting.answered(&["sesn_1_ask_1"]).await?;
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_and_a_wrong_key_cost_a_reply_no_try() -> Result<()> {
    for (fault, class) in [
        (json!({ "status": 503 }), "transient"),
        (json!({ "status": 401 }), "configuration"),
        (json!({ "status": 429 }), "throttled"),
    ] {
        let waiting = Waiting::new().await?;
        let Waiting { bench, platform } = &waiting;
        platform.fails_altogether(fault.clone()).await?;
        let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
        let relay = bench.relay().await?;
        let replier = Replier::start(bench, platform, "worker-1")?;
        for round in 1..=5 {
            let due = after(10 * round);
            let failed = bench.until(&id, "rests", |detail| detail.due_at == Some(due)).await?.row;
            assert_eq!((failed.tries, failed.error_class.as_deref()), (0, Some(class)), "{fault}");
            if round == 5 {
                platform.heals().await?;
            }
            bench.advance(10);
        }
        bench.until_reply(&id, "posted").await?;
        waiting.answered(&["sesn_1_ask_1"]).await?;
        replier.stopped().await?;
        relay.stopped_within(PATIENCE).await?;
        waiting.settled().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_fails_posts_nothing() -> Result<()> {
    let waiting = Waiting::new().await?;
    let Waiting { bench, platform } = &waiting;
    platform.fails("sesn_1/events", json!({ "status": 500, "method": "GET", "times": 1 })).await?;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    let replier = Replier::start(bench, platform, "worker-1")?;
    bench.until(&id, "one try used", |detail| detail.row.tries == 1).await?;
    assert_eq!(platform.calls("POST /v1/sessions/{session_id}/events").await?, 0);
    bench.advance(10);
    bench.until_reply(&id, "posted").await?;
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.answered(&["sesn_1_ask_1"]).await?;
    waiting.settled().await
}
