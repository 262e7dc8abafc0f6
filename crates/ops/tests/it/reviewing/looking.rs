//! Looking questions up.

use super::desk::{Desk, bash, custom, idle, said};
use anyhow::Result;
use domain::policy::Policy;
use domain::review::{ReviewStatus, ToolKind};
use serde_json::json;

#[tokio::test]
async fn a_question_is_put_with_its_input_and_what_led_to_it() -> Result<()> {
    let desk = Desk::new().await?;
    let mut events: Vec<_> = (0..12).map(|n| said("user", &format!("message {n}"))).collect();
    events.extend([
        said("agent", "let me see"),
        custom("sevt_1"),
        said("user", "too late"),
        idle(&["sevt_1"]),
    ]);
    desk.session("sesn_1", &events).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    assert_eq!(desk.round(Policy::default()).await?, 1);
    let review = desk.find("sevt_1").await?;
    assert_eq!(review.status, ReviewStatus::Open);
    assert_eq!(review.kind, Some(ToolKind::CustomToolUse));
    assert_eq!(review.tool.as_deref(), Some("issue_refund"));
    assert_eq!(review.session_title.as_deref(), Some("Order 8841"));
    assert_eq!(
        (review.agent_id.as_deref(), review.agent_name.as_deref()),
        (Some("agent_1"), Some("Support desk"))
    );
    assert_eq!(review.input.expect("an input").get(), r#"{"order":8841}"#);
    let context = review.context.expect("a context");
    let texts: Vec<_> = context.as_array().expect("a list").iter().map(|turn| &turn["text"]).collect();
    assert_eq!(texts.len(), 8);
    assert_eq!((texts[0], texts[7]), (&json!("message 5"), &json!("let me see")), "the last ones before it");
    assert_eq!(context[7]["from"], "agent");
    Ok(())
}

#[tokio::test]
async fn all_questions_of_a_session_are_looked_up_at_once() -> Result<()> {
    let desk = Desk::new().await?;
    let ids = ["sevt_1", "sevt_2", "sevt_3", "sevt_4"];
    let mut events: Vec<_> = ids.iter().map(|id| custom(id)).collect();
    events.push(idle(&ids));
    desk.session("sesn_1", &events).await?;
    desk.waits("sesn_1", &ids).await?;
    assert_eq!(desk.round(Policy::default()).await?, 4);
    for id in ids {
        assert_eq!(desk.status(id).await?, ReviewStatus::Open);
    }
    assert_eq!(desk.platform.fetches("sesn_1").await?, 1);
    assert_eq!(desk.round(Policy::default()).await?, 0, "they rest until they are overdue");
    Ok(())
}

#[tokio::test]
async fn a_question_many_events_ago_is_found() -> Result<()> {
    let desk = Desk::new().await?;
    let mut events = vec![custom("sevt_1")];
    events.extend((0..230).map(|n| said("agent", &format!("thought {n}"))));
    events.push(idle(&["sevt_1"]));
    desk.session("sesn_1", &events).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(Policy::default()).await?;
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Open);
    Ok(())
}

#[tokio::test]
async fn what_needs_no_answer_is_closed_and_what_does_is_not() -> Result<()> {
    let desk = Desk::new().await?;
    let thread = |mut event: serde_json::Value, thread: &str| {
        event["session_thread_id"] = thread.into();
        event
    };
    let events = [
        bash("sevt_allowed", "allow"),
        bash("sevt_denied", "deny"),
        bash("sevt_asked", "ask"),
        bash("sevt_odd", "escalate"),
        custom("sevt_answered"),
        thread(custom("sevt_ended"), "sthr_1"),
        thread(custom("sevt_lives"), "sthr_2"),
        json!({ "type": "user.custom_tool_result", "custom_tool_use_id": "sevt_answered" }),
        json!({ "type": "session.thread_status_terminated", "session_thread_id": "sthr_1" }),
    ];
    desk.session("sesn_1", &events).await?;
    let ids = [
        "sevt_allowed",
        "sevt_denied",
        "sevt_asked",
        "sevt_odd",
        "sevt_answered",
        "sevt_ended",
        "sevt_lives",
    ];
    desk.waits("sesn_1", &ids).await?;
    desk.round(Policy::default()).await?;
    for (id, status, closed_as) in [
        ("sevt_allowed", ReviewStatus::Obsolete, Some("needs_nobody")),
        ("sevt_denied", ReviewStatus::Obsolete, Some("needs_nobody")),
        ("sevt_asked", ReviewStatus::Open, None),
        ("sevt_odd", ReviewStatus::Open, None),
        ("sevt_answered", ReviewStatus::Answered, Some("answered_elsewhere")),
        ("sevt_ended", ReviewStatus::Obsolete, Some("thread_ended")),
        ("sevt_lives", ReviewStatus::Open, None),
    ] {
        let review = desk.find(id).await?;
        assert_eq!((review.status, review.closed_as.as_deref()), (status, closed_as), "{id}");
    }
    assert!(desk.replies().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_session_that_is_over_asks_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1"), json!({ "type": "session.status_terminated" })]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.waits("sesn_unknown", &["sevt_2"]).await?;
    desk.round(Policy::default()).await?;
    assert_eq!(desk.find("sevt_1").await?.closed_as.as_deref(), Some("session_over"));
    assert_eq!(desk.status("sevt_2").await?, ReviewStatus::Obsolete, "there is no such session");
    Ok(())
}

#[tokio::test]
async fn a_session_that_was_not_there_and_asks_again_is_looked_up() -> Result<()> {
    let desk = Desk::new().await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(Policy::default()).await?;
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Obsolete);
    desk.session("sesn_1", &[custom("sevt_1")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    assert_eq!(desk.round(Policy::default()).await?, 1);
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Open);
    Ok(())
}

#[tokio::test]
async fn a_question_that_cannot_be_looked_up_waits_and_says_why() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[idle(&["sevt_1"])]).await?;
    desk.session("sesn_2", &[custom("sevt_2")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.waits("sesn_2", &["sevt_2"]).await?;
    desk.platform.fails("sesn_2", json!({ "status": 503 })).await?;
    desk.round(Policy::default()).await?;
    for (id, reason) in [("sevt_1", "do not list the tool use sevt_1"), ("sevt_2", "503")] {
        let review = desk.find(id).await?;
        assert_eq!(review.status, ReviewStatus::Preparing);
        let error = review.last_error.expect("an error");
        assert!(error.contains(reason), "{error}");
    }
    desk.platform.heals().await?;
    desk.session("sesn_1", &[custom("sevt_1")]).await?;
    assert_eq!(desk.round(Policy::default()).await?, 0, "not at once");
    desk.bench.advance(5);
    assert_eq!(desk.round(Policy::default()).await?, 2);
    for id in ["sevt_1", "sevt_2"] {
        assert_eq!(desk.status(id).await?, ReviewStatus::Open);
    }
    Ok(())
}
