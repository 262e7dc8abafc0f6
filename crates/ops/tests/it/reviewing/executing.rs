//! Executors: what they are told, what their answers mean, and what follows when they give none.

use super::desk::{Desk, always, bash, custom};
use super::program::{Act, Program};
use anyhow::{Result, ensure};
use chrono::TimeDelta;
use domain::policy::{OnFailure, Plan, Policy, Route};
use domain::review::ReviewStatus;
use domain::{Clock, RetryPolicy};
use ops::executors::{Executor, Executors};
use ops::reviews::{Reviewer, Rules};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use testkit::eventually;

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Three calls, five and thirty seconds apart, then a person.
fn plan() -> Result<Plan> {
    let retry = RetryPolicy::new(3, vec![TimeDelta::seconds(5), TimeDelta::seconds(30)])?;
    Ok(Plan { retry, at_most_once: false, on_failure: OnFailure::Person })
}

fn once() -> Result<Plan> {
    Ok(Plan { at_most_once: true, ..plan()? })
}

fn reviewer(desk: &Desk, url: &str, plan: Plan) -> Result<Reviewer> {
    let secret = signing::Secret::parse(SECRET)?;
    let executor = Executor { url: url.to_owned(), secret, timeout: Duration::from_secs(20), plan };
    let executors = Executors::new(BTreeMap::from([("refunds".to_owned(), executor)]))?;
    let policy = Arc::new(always(Route::Executor { name: "refunds".to_owned() }));
    desk.reviewer_with(Rules { policy, executors })
}

/// A desk with a custom tool use `sevt_1` and a tool that asks, `sevt_2`; only those of `keys` wait.
async fn desk(keys: &[&str]) -> Result<Desk> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1"), bash("sevt_2", "ask")]).await?;
    desk.waits("sesn_1", keys).await?;
    Ok(desk)
}

async fn steps(desk: &Desk, id: &str) -> Result<Vec<String>> {
    Ok(desk.steps(id).await?.into_iter().map(|step| step.step).collect())
}

#[tokio::test]
async fn an_executor_is_told_everything_under_a_signature_and_its_answer_is_the_result() -> Result<()> {
    let desk = desk(&["sevt_1"]).await?;
    let program = Program::start(&[Act::Answer(200, r#"{"content":"refund issued"}"#)]).await?;
    desk.round_of(reviewer(&desk, &program.url, plan()?)?).await?;
    let calls = program.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        calls[0].body,
        json!({ "type": "tool_call", "tool_use_id": "sevt_1", "kind": "custom_tool_use", "tool": "issue_refund",
            "server": null, "input": { "order": 8841 }, "session": { "id": "sesn_1", "title": "Order 8841" },
            "agent": { "id": "agent_1", "name": "Support desk" }, "attempt": 1 })
    );
    let headers = signing::Headers::from_lookup(|name| calls[0].headers.get(name).map(String::as_str));
    let secret = signing::Secret::parse(SECRET)?;
    let now = desk.bench.clock.now().timestamp();
    signing::verify(&headers, &calls[0].raw, &[secret], now, 5, signing::Schemes::Standard)?;
    assert_eq!(program.ids(), ["sevt_1_1"]);
    let review = desk.find("sevt_1").await?;
    assert_eq!(
        (review.status, review.decided_by.as_deref()),
        (ReviewStatus::Decided, Some("executor:refunds"))
    );
    assert_eq!(desk.replies().await?[0]["content"][0]["text"], "refund issued");
    assert_eq!(steps(&desk, "sevt_1").await?, ["routed", "called", "decided"]);
    Ok(())
}

#[tokio::test]
async fn a_tool_that_asks_is_allowed_or_denied_by_a_word() -> Result<()> {
    for (body, result) in [
        (r#"{"decision":"allow"}"#, Some("allow")),
        (r#"{"decision":"deny","message":"why"}"#, Some("deny")),
        ("yes", None),
    ] {
        let desk = desk(&["sevt_2"]).await?;
        let program = Program::start(&[Act::Answer(200, body)]).await?;
        desk.round_of(reviewer(&desk, &program.url, plan()?)?).await?;
        let replies = desk.replies().await?;
        assert_eq!(replies.first().and_then(|reply| reply["result"].as_str()), result, "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn after_its_last_failure_a_person_is_asked_and_others_are_told() -> Result<()> {
    let desk = desk(&["sevt_1"]).await?;
    let acts = [Act::Answer(500, "oh no"), Act::Cut, Act::With(302, "location: /elsewhere", "")];
    let program = Program::start(&acts).await?;
    let round = async || desk.round_of(reviewer(&desk, &program.url, plan()?)?).await;
    assert_eq!(round().await?, 1);
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Executing);
    assert!(desk.find("sevt_1").await?.last_error.expect("an error").contains("answered 500: oh no"));
    assert_eq!(round().await?, 0, "it rests");
    desk.bench.advance(5);
    assert_eq!(round().await?, 1);
    desk.bench.advance(40);
    assert_eq!(round().await?, 1);
    assert_eq!(program.ids(), ["sevt_1_1", "sevt_1_2", "sevt_1_3"], "redirects are not followed");
    let review = desk.find("sevt_1").await?;
    assert_eq!((review.status, review.route.as_deref()), (ReviewStatus::Open, Some("person")));
    assert!(review.because.expect("a reason").contains("302"));
    assert_eq!(desk.alerts().await?, ["executor_failed sevt_1"]);
    desk.bench.advance(4 * 3600);
    round().await?;
    assert_eq!(desk.alerts().await?.len(), 2, "and overdue in time");
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_asks_for_a_longer_rest_gets_it() -> Result<()> {
    let desk = desk(&["sevt_1"]).await?;
    let busy = Act::With(429, "retry-after: 60", "");
    let program = Program::start(&[busy, Act::Answer(200, "done")]).await?;
    let round = async || desk.round_of(reviewer(&desk, &program.url, plan()?)?).await;
    round().await?;
    desk.bench.advance(59);
    assert_eq!(round().await?, 0);
    desk.bench.advance(1);
    assert_eq!(round().await?, 1);
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Decided);
    Ok(())
}

#[tokio::test]
async fn where_the_policy_says_so_the_agent_is_told_of_the_failure() -> Result<()> {
    let desk = desk(&["sevt_1", "sevt_2"]).await?;
    let program = Program::start(&[Act::Answer(404, "")]).await?;
    let retry = RetryPolicy::new(1, Vec::new())?;
    let plan = Plan { retry, at_most_once: false, on_failure: OnFailure::Error };
    desk.round_of(reviewer(&desk, &program.url, plan)?).await?;
    let replies = desk.replies().await?;
    assert_eq!(replies.len(), 2);
    let custom = replies.iter().find(|reply| reply["is_error"] == true).expect("an error result");
    assert!(custom["content"][0]["text"].as_str().is_some_and(|text| text.contains("failed")));
    assert!(replies.iter().any(|reply| reply["result"] == "deny"));
    assert_eq!(desk.alerts().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn an_answer_without_end_and_one_that_never_comes_are_failures() -> Result<()> {
    for (act, reason) in [(Act::Long(2 * 1024 * 1024), "longer than"), (Act::Hang, "within 200ms")] {
        let desk = desk(&["sevt_1"]).await?;
        let program = Program::start(&[act]).await?;
        let secret = signing::Secret::parse(SECRET)?;
        let timeout = if reason == "longer than" { 20_000 } else { 200 };
        let executor = Executor {
            url: program.url.clone(),
            secret,
            timeout: Duration::from_millis(timeout),
            plan: plan()?,
        };
        let executors = Executors::new(BTreeMap::from([("refunds".to_owned(), executor)]))?;
        let policy = Arc::new(always(Route::Executor { name: "refunds".to_owned() }));
        desk.round_of(desk.reviewer_with(Rules { policy, executors })?).await?;
        let review = desk.find("sevt_1").await?;
        assert_eq!((review.status, review.calls), (ReviewStatus::Executing, 1));
        let error = review.last_error.expect("an error");
        assert!(error.contains(reason), "{error}");
    }
    Ok(())
}

/// A worker that dies while its executor thinks.
async fn die_in_a_call(desk: &Desk, program: &Program, plan: Plan) -> Result<()> {
    let before = program.calls().len();
    let reviewer = reviewer(desk, &program.url, plan)?;
    let seen = eventually(Duration::from_secs(60), "a call", async || {
        ensure!(program.calls().len() > before, "there was none");
        Ok(Some(()))
    });
    tokio::select! {
        round = desk.round_of(reviewer) => anyhow::bail!("it ended: {round:?}"),
        seen = seen => seen,
    }
}

#[tokio::test]
async fn a_call_that_died_with_its_worker_is_repeated_under_the_same_id() -> Result<()> {
    let desk = desk(&["sevt_1"]).await?;
    let program = Program::start(&[Act::Hang, Act::Answer(200, "done")]).await?;
    die_in_a_call(&desk, &program, plan()?).await?;
    let round = async || desk.round_of(reviewer(&desk, &program.url, plan()?)?).await;
    assert_eq!(round().await?, 0, "the dead worker's lease still runs");
    desk.bench.advance(5 * 60);
    assert_eq!(round().await?, 1);
    assert_eq!(program.ids(), ["sevt_1_1", "sevt_1_1"]);
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Decided);
    assert_eq!(desk.replies().await?.len(), 1);
    assert_eq!(steps(&desk, "sevt_1").await?, ["routed", "called", "call_lost", "called", "decided"]);
    Ok(())
}

#[tokio::test]
async fn at_most_once_a_call_that_died_with_its_worker_is_never_repeated() -> Result<()> {
    let desk = desk(&["sevt_1"]).await?;
    let program = Program::start(&[Act::Hang, Act::Answer(200, "done")]).await?;
    die_in_a_call(&desk, &program, once()?).await?;
    desk.bench.advance(5 * 60);
    assert_eq!(desk.round_of(reviewer(&desk, &program.url, once()?)?).await?, 1);
    assert_eq!(program.calls().len(), 1);
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Open, "a person looks what became of it");
    assert_eq!(desk.alerts().await?, ["executor_failed sevt_1"]);
    Ok(())
}

#[tokio::test]
async fn at_most_once_only_a_call_that_never_arrived_is_repeated() -> Result<()> {
    let arrived = desk(&["sevt_1"]).await?;
    let program = Program::start(&[Act::Answer(500, "")]).await?;
    arrived.round_of(reviewer(&arrived, &program.url, once()?)?).await?;
    assert_eq!(arrived.status("sevt_1").await?, ReviewStatus::Open);

    let away = desk(&["sevt_1"]).await?;
    // A port that was free a moment ago.
    let url = Program::start(&[Act::Cut]).await?.url;
    away.round_of(reviewer(&away, &url, once()?)?).await?;
    let review = away.find("sevt_1").await?;
    assert_eq!((review.status, review.calls), (ReviewStatus::Executing, 1), "{:?}", review.last_error);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_comes_when_the_session_has_moved_on_is_not_used() -> Result<()> {
    let desk = desk(&["sevt_1"]).await?;
    let program = Program::start(&[Act::Hang]).await?;
    die_in_a_call(&desk, &program, plan()?).await?;
    desk.stands("sesn_1", &["sevt_1"], domain::Standing::Obsolete).await?;
    desk.bench.advance(5 * 60);
    assert_eq!(desk.round_of(reviewer(&desk, &program.url, plan()?)?).await?, 0);
    assert!(desk.replies().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn nobody_decides_what_an_executor_is_at() -> Result<()> {
    let desk = desk(&["sevt_1"]).await?;
    let program = Program::start(&[Act::Answer(500, "")]).await?;
    desk.round_of(reviewer(&desk, &program.url, plan()?)?).await?;
    let refused = desk.decide("sevt_1", &domain::Answer::text("x", false), "ada").await.unwrap_err();
    assert!(refused.to_string().contains("executor refunds"), "{refused}");
    // A worker whose policy does not know the executor any more asks a person.
    desk.bench.advance(5);
    assert_eq!(desk.round(Policy::default()).await?, 1);
    let review = desk.find("sevt_1").await?;
    assert_eq!(review.status, ReviewStatus::Open, "{review:?}");
    desk.decide("sevt_1", &domain::Answer::text("x", false), "ada").await?;
    Ok(())
}
