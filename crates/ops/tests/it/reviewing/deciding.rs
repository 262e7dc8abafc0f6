//! Decisions of people and of rules.

use super::desk::{Desk, always, bash, custom};
use anyhow::Result;
use domain::Answer;
use domain::policy::{Policy, Route};
use domain::review::{Mismatch, ReviewStatus};
use futures_util::future::join_all;
use ops::reviews::{By, NotDecided, decide};
use serde_json::json;

#[tokio::test]
async fn a_decision_becomes_the_reply_that_the_session_waits_for() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1"), bash("sevt_2", "ask")]).await?;
    desk.waits("sesn_1", &["sevt_1", "sevt_2"]).await?;
    desk.round(Policy::default()).await?;
    desk.decide("sevt_1", &Answer::text("refund 8841 issued", false), "ada").await?;
    desk.decide("sevt_2", &Answer::Deny { message: Some("not here".to_owned()) }, "bob").await?;
    let expected = [
        json!({ "type": "user.custom_tool_result", "custom_tool_use_id": "sevt_1", "is_error": false,
            "content": [{ "type": "text", "text": "refund 8841 issued" }] }),
        json!({ "type": "user.tool_confirmation", "tool_use_id": "sevt_2", "result": "deny",
            "deny_message": "not here" }),
    ];
    assert_eq!(desk.replies().await?, expected);
    let review = desk.find("sevt_1").await?;
    assert_eq!((review.status, review.decided_by.as_deref()), (ReviewStatus::Decided, Some("ada")));
    let late = desk.decide("sevt_1", &Answer::text("again", false), "bob").await.unwrap_err();
    assert!(matches!(&late, NotDecided::Decided { by, .. } if by == "ada"), "{late}");
    assert_eq!(desk.round(Policy::default()).await?, 0, "the rest is the reply's");
    Ok(())
}

#[tokio::test]
async fn an_answer_of_the_wrong_kind_changes_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1"), bash("sevt_2", "ask")]).await?;
    desk.waits("sesn_1", &["sevt_1", "sevt_2"]).await?;
    desk.round(Policy::default()).await?;
    for (id, answer, expected) in [
        ("sevt_1", Answer::Allow, Mismatch::NeedsResult),
        ("sevt_2", Answer::text("x", false), Mismatch::NeedsConfirmation),
    ] {
        let refused = desk.decide(id, &answer, "ada").await.unwrap_err();
        assert!(matches!(&refused, NotDecided::Mismatch(mismatch) if *mismatch == expected), "{refused}");
        assert_eq!(desk.status(id).await?, ReviewStatus::Open);
    }
    assert!(desk.replies().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_decide_at_once_one_does() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(Policy::default()).await?;
    let effect = desk.find("sevt_1").await?.effect;
    let names: Vec<String> = (0..6).map(|n| format!("person {n}")).collect();
    let decisions = names.iter().map(|name| {
        let (store, clock) = (desk.bench.store.clone(), desk.bench.clock.clone());
        async move { decide(&store, &*clock, effect, &Answer::text(name, false), By::Person(name)).await }
    });
    let outcomes = join_all(decisions).await;
    let winners = names.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
    let winners: Vec<_> = winners.map(|(name, _)| name.as_str()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    let others = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    for other in others {
        assert!(matches!(other, NotDecided::Decided { by, .. } if by == winners[0]), "{other}");
    }
    let replies = desk.replies().await?;
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0]["content"][0]["text"], winners[0]);
    Ok(())
}

#[tokio::test]
async fn rules_allow_and_deny_at_once() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[bash("sevt_1", "ask")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(always(Route::Allow)).await?;
    assert_eq!(desk.find("sevt_1").await?.decided_by.as_deref(), Some("policy"));
    desk.session("sesn_2", &[bash("sevt_2", "ask"), custom("sevt_3")]).await?;
    desk.waits("sesn_2", &["sevt_2", "sevt_3"]).await?;
    desk.round(always(Route::Deny { message: Some("never".to_owned()) })).await?;
    let mut replies = desk.replies().await?;
    assert_eq!(replies[0]["result"], "allow");
    replies.sort_by_key(|reply| reply["type"].to_string());
    assert_eq!((&replies[0]["is_error"], &replies[0]["content"][0]["text"]), (&json!(true), &json!("never")));
    assert!(replies[1..].iter().any(|reply| reply["deny_message"] == "never"));
    Ok(())
}

#[tokio::test]
async fn an_unknown_permission_reaches_a_person_whatever_the_rules_say() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[bash("sevt_1", "escalate")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(always(Route::Allow)).await?;
    let review = desk.find("sevt_1").await?;
    assert_eq!((review.status, review.route.as_deref()), (ReviewStatus::Open, Some("person")));
    assert!(desk.replies().await?.is_empty());
    desk.decide("sevt_1", &Answer::Allow, "ada").await?;
    Ok(())
}

#[tokio::test]
async fn an_executor_that_is_not_configured_is_replaced_by_a_person() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(always(Route::Executor { name: "refunds".to_owned() })).await?;
    let review = desk.find("sevt_1").await?;
    assert_eq!((review.status, review.route.as_deref()), (ReviewStatus::Open, Some("person")));
    let because = review.because.expect("a reason");
    assert!(because.contains("refunds"), "{because}");
    Ok(())
}
