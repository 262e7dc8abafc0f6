//! Decisions that come too late.

use super::Waiting;
use crate::bench::{PATIENCE, Replier, answer};
use anyhow::Result;
use domain::EventStatus;
use serde_json::json;

/// Decides on the first tool use after the session has changed so, and says how the reply ends.
async fn ends(waiting: &Waiting, state: &str, status: EventStatus) -> Result<()> {
    let Waiting { bench, platform } = waiting;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    let replier = Replier::start(bench, platform, "worker-1")?;
    bench.until_reply(&id, state).await?;
    assert_eq!(bench.reply(&id).await?, (state.to_owned(), true));
    assert_eq!(bench.detail(&id).await?.row.status, status.as_str());
    assert_eq!(bench.detail(&id).await?.row.tries, 0);
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_has_answered_is_not_answered_again() -> Result<()> {
    let waiting = Waiting::new().await?;
    waiting.platform.send("sesn_1", &[answer("sesn_1_ask_1")]).await?;
    ends(&waiting, "elsewhere", EventStatus::Applied).await?;
    waiting.answered(&["sesn_1_ask_1"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_archived_is_not_answered() -> Result<()> {
    let waiting = Waiting::new().await?;
    waiting.platform.client()?.archive_session("sesn_1").await?;
    ends(&waiting, "obsolete", EventStatus::Superseded).await?;
    waiting.answered(&[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_deleted_is_not_answered() -> Result<()> {
    let waiting = Waiting::new().await?;
    waiting.platform.client()?.delete_session("sesn_1").await?;
    ends(&waiting, "obsolete", EventStatus::Superseded).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_interrupted_is_not_answered() -> Result<()> {
    let waiting = Waiting::new().await?;
    waiting.platform.send("sesn_1", &[json!({ "type": "user.interrupt" })]).await?;
    ends(&waiting, "obsolete", EventStatus::Superseded).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_that_the_platform_refuses_leaves_the_first() -> Result<()> {
    let waiting = Waiting::new().await?;
    let super::Waiting { bench, platform } = &waiting;
    // The look is too early: the other answer comes before the post.
    platform.posts_fail("sesn_1", json!({ "status": 400, "phase": "after", "times": 1 })).await?;
    let id = bench.decide("sesn_1", "sesn_1_ask_1").await?;
    let relay = bench.relay().await?;
    let replier = Replier::start(bench, platform, "worker-1")?;
    bench.until_reply(&id, "elsewhere").await?;
    assert_eq!(platform.calls("POST /v1/sessions/{session_id}/events").await?, 1);
    replier.stopped().await?;
    relay.stopped_within(PATIENCE).await?;
    waiting.answered(&["sesn_1_ask_1"]).await?;
    waiting.settled().await
}
