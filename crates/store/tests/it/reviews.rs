//! Reviews: how they stand, who has them, which of them are found.

use crate::bench::{Bench, after, noon, session};
use anyhow::{Context, Result};
use chrono::TimeDelta;
use domain::policy::{Patience, Route};
use domain::review::{Question, ReviewStatus, ToolKind};
use domain::{Answer, Effect, EffectKind, Severity, Standing};
use serde_json::json;
use store::{Closed, NewEffect, NewReply, NewReview, Review, ReviewFilter, Step};

const PATIENCE: Patience = Patience { due: TimeDelta::hours(1), severity: Severity::Critical };

/// Records that a tool use of a session waits, as applying an event does.
async fn waits(bench: &Bench, session_id: &str, key: &str) -> Result<i64> {
    let effect = Effect {
        kind: EffectKind::Review,
        key: key.to_owned(),
        standing: Standing::Due,
        detail: "tool use waits for an answer".to_owned(),
    };
    let resource = session(session_id);
    let mut tx = bench.store.begin("record").await?;
    store::record_effects(&mut tx, &[NewEffect { resource: &resource, event: 1, effect }], noon()).await?;
    tx.commit().await?;
    bench.number(format!("SELECT id FROM effects WHERE key = '{key}'")).await
}

fn question(effect: i64, key: &str, route: Route) -> NewReview {
    NewReview {
        effect,
        tool_use_id: key.to_owned(),
        question: Question {
            kind: ToolKind::CustomToolUse,
            tool: "issue_refund".to_owned(),
            server: None,
            permission: None,
            agent_id: Some("agent_1".to_owned()),
            agent_name: Some("Support desk".to_owned()),
        },
        input: r#"{"order":8841.00}"#.to_owned(),
        thread_id: None,
        session_title: Some("Order 8841".to_owned()),
        context: json!([{ "from": "user", "text": "where is my money?" }]),
        asked_at: Some(after(-3)),
        route,
        because: "refunds".to_owned(),
    }
}

async fn keep(bench: &Bench, session_id: &str, reviews: &[NewReview]) -> Result<Vec<i64>> {
    let mut tx = bench.store.begin("keep").await?;
    let new = store::keep_reviews(&mut tx, session_id, reviews, noon()).await?;
    tx.commit().await?;
    Ok(new)
}

/// A review that waits for a person.
async fn open(bench: &Bench, session_id: &str, key: &str) -> Result<i64> {
    let effect = waits(bench, session_id, key).await?;
    keep(bench, session_id, &[question(effect, key, Route::Person(PATIENCE))]).await?;
    Ok(effect)
}

async fn find(bench: &Bench, effect: i64) -> Result<Review> {
    let mut connection = bench.store.connection().await?;
    store::find_review(&mut connection, effect).await?.context("no such review")
}

async fn status(bench: &Bench, effect: i64) -> Result<ReviewStatus> {
    Ok(find(bench, effect).await?.status)
}

/// Decides a review, as `ops` does.
async fn decide(bench: &Bench, effect: i64, key: &str) -> Result<i64> {
    let reply = json!({ "type": "user.custom_tool_result", "custom_tool_use_id": key });
    let new = NewReply { effect, session_id: "sesn_1", tool_use_id: key, reply: &reply, decided_by: "ada" };
    let mut tx = bench.store.begin("decide").await?;
    store::lock_review(&mut tx, effect).await?;
    let event = store::accept_reply(&mut tx, &new, after(5)).await?;
    store::record_answer(&mut tx, effect, &Answer::text("done", false), "ada", after(5)).await?;
    tx.commit().await?;
    Ok(event)
}

#[tokio::test]
async fn a_question_is_kept_once_and_read_as_it_was_asked() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = waits(&bench, "sesn_1", "sevt_1").await?;
    assert_eq!(status(&bench, effect).await?, ReviewStatus::Preparing);
    let first = question(effect, "sevt_1", Route::Person(PATIENCE));
    assert_eq!(keep(&bench, "sesn_1", std::slice::from_ref(&first)).await?, [effect]);
    let second = NewReview { route: Route::Allow, ..first.clone() };
    assert!(keep(&bench, "sesn_1", &[second]).await?.is_empty(), "what is kept stays as it is");
    let review = find(&bench, effect).await?;
    assert_eq!(review.status, ReviewStatus::Open);
    assert_eq!(review.question(), Some(first.question));
    assert_eq!(review.input.map(|input| input.get().to_owned()), Some(first.input), "digit for digit");
    assert_eq!((review.due_at, review.severity), (Some(after(3600)), Some(Severity::Critical)));
    assert_eq!(review.context, Some(first.context));
    Ok(())
}

#[tokio::test]
async fn the_reviews_to_prepare_are_those_of_the_session_that_are_wanted_and_unknown() -> Result<()> {
    let bench = Bench::new().await?;
    let wanted = waits(&bench, "sesn_1", "sevt_wanted").await?;
    open(&bench, "sesn_1", "sevt_kept").await?;
    waits(&bench, "sesn_2", "sevt_other").await?;
    let gone = waits(&bench, "sesn_1", "sevt_gone").await?;
    let mut connection = bench.store.connection().await?;
    store::drop_review(&mut connection, gone).await?;
    let found = store::unprepared_reviews(&mut connection, "sesn_1").await?;
    assert_eq!(found, [(wanted, "sevt_wanted".to_owned())]);
    assert_eq!(status(&bench, gone).await?, ReviewStatus::Obsolete);
    Ok(())
}

#[tokio::test]
async fn a_status_follows_from_what_happened() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = open(&bench, "sesn_1", "sevt_1").await?;
    bench.sql("UPDATE effects SET standing = 'obsolete'").await?;
    assert_eq!(status(&bench, effect).await?, ReviewStatus::Obsolete);
    bench.sql("UPDATE effects SET standing = 'due'").await?;
    assert_eq!(status(&bench, effect).await?, ReviewStatus::Open, "due again is open again");

    let event = decide(&bench, effect, "sevt_1").await?;
    let review = find(&bench, effect).await?;
    assert_eq!((review.status, review.reply_state.as_deref()), (ReviewStatus::Decided, Some("queued")));
    for (state, event_status, expected) in [
        ("queued", "pending", ReviewStatus::Decided),
        ("failed", "dead", ReviewStatus::Failed),
        // A replay that is on its way to its worker.
        ("failed", "pending", ReviewStatus::Failed),
        ("failed", "discarded", ReviewStatus::Open),
        ("elsewhere", "applied", ReviewStatus::Answered),
        ("obsolete", "superseded", ReviewStatus::Obsolete),
        ("posted", "applied", ReviewStatus::Answered),
    ] {
        bench
            .sql(format!(
                "UPDATE replies SET state = '{state}'; \
                 UPDATE events SET status = '{event_status}', \
                     finished_at = CASE '{event_status}' WHEN 'pending' THEN NULL ELSE received_at END, \
                     discard_reason = CASE '{event_status}' WHEN 'discarded' THEN 'why' END, \
                     dead_at = CASE '{event_status}' WHEN 'dead' THEN received_at END, \
                     error_class = CASE '{event_status}' WHEN 'dead' THEN 'bug' END \
                 WHERE id = {event}"
            ))
            .await?;
        assert_eq!(status(&bench, effect).await?, expected, "{state}, {event_status}");
    }
    let mut connection = bench.store.connection().await?;
    store::finish_effect(&mut connection, effect, after(9)).await?;
    bench.sql("UPDATE effects SET standing = 'obsolete'").await?;
    assert_eq!(status(&bench, effect).await?, ReviewStatus::Answered, "what was posted stays answered");
    Ok(())
}

#[tokio::test]
async fn what_the_first_look_closes_is_over_for_good() -> Result<()> {
    let bench = Bench::new().await?;
    for (closed, expected) in [
        (Closed::AnsweredElsewhere, ReviewStatus::Answered),
        (Closed::NeedsNobody, ReviewStatus::Obsolete),
        (Closed::ThreadEnded, ReviewStatus::Obsolete),
        (Closed::SessionOver, ReviewStatus::Obsolete),
    ] {
        let effect = open(&bench, "sesn_1", closed.as_str()).await?;
        let mut tx = bench.store.begin("close").await?;
        store::close_review(&mut tx, effect, closed, after(1)).await?;
        tx.commit().await?;
        assert_eq!(status(&bench, effect).await?, expected, "{}", closed.as_str());
    }
    let due = bench.number("SELECT count(*) FROM effects WHERE done_at IS NULL").await?;
    assert_eq!(due, 0);
    Ok(())
}

#[tokio::test]
async fn of_two_who_lock_a_review_the_second_sees_what_the_first_decided() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = open(&bench, "sesn_1", "sevt_1").await?;
    let mut first = bench.store.begin("first").await?;
    store::lock_review(&mut first, effect).await?;
    let (store, later) = (bench.store.clone(), after(5));
    let second = async {
        let mut tx = store.begin("second").await?;
        anyhow::Ok(store::lock_review(&mut tx, effect).await?.context("no such review")?.status)
    };
    let deciding = async {
        bench.waits_for_a_lock(1).await?;
        store::record_answer(&mut first, effect, &Answer::text("done", false), "ada", later).await?;
        first.commit().await?;
        anyhow::Ok(())
    };
    let (seen, decided) = tokio::join!(second, deciding);
    decided?;
    assert_eq!(seen?, ReviewStatus::Decided);
    Ok(())
}

#[tokio::test]
async fn reviews_are_found_by_the_beginning_of_their_id() -> Result<()> {
    let bench = Bench::new().await?;
    open(&bench, "sesn_1", "sevt_1").await?;
    open(&bench, "sesn_1", "sevt_12").await?;
    waits(&bench, "sesn_1", "sevt_13").await?;
    let found = async |beginning: &str| {
        let mut connection = bench.store.connection().await?;
        let found = store::find_reviews(&mut connection, beginning, 10).await?;
        anyhow::Ok(found.into_iter().map(|review| review.id).collect::<Vec<_>>())
    };
    assert_eq!(found("sevt_12").await?, ["sevt_12"]);
    assert_eq!(found("sevt_1").await?, ["sevt_1", "sevt_12", "sevt_13"], "the exact one first");
    assert_eq!(found("sevt_13").await?, ["sevt_13"], "those that are not looked up yet too");
    assert!(found("sevt_%").await?.is_empty() && found("other").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_list_holds_what_is_not_over_unless_it_is_asked_for() -> Result<()> {
    let bench = Bench::new().await?;
    let first = open(&bench, "sesn_1", "sevt_1").await?;
    open(&bench, "sesn_2", "sevt_2").await?;
    waits(&bench, "sesn_3", "sevt_3").await?;
    let over = open(&bench, "sesn_4", "sevt_4").await?;
    let mut tx = bench.store.begin("close").await?;
    store::close_review(&mut tx, over, Closed::AnsweredElsewhere, after(1)).await?;
    tx.commit().await?;
    decide(&bench, first, "sevt_1").await?;
    let list = async |filter: ReviewFilter| {
        let mut connection = bench.store.connection().await?;
        let filter = ReviewFilter { limit: 10, ..filter };
        let found = store::list_reviews(&mut connection, &filter).await?;
        anyhow::Ok(found.into_iter().map(|review| review.id).collect::<Vec<_>>())
    };
    let all = ReviewFilter::default;
    assert_eq!(list(all()).await?, ["sevt_1", "sevt_2", "sevt_3"]);
    assert_eq!(list(ReviewFilter { also_over: true, ..all() }).await?.len(), 4);
    for (status, expected) in [
        (ReviewStatus::Open, "sevt_2"),
        (ReviewStatus::Preparing, "sevt_3"),
        (ReviewStatus::Decided, "sevt_1"),
        (ReviewStatus::Answered, "sevt_4"),
    ] {
        assert_eq!(list(ReviewFilter { status: Some(status), ..all() }).await?, [expected], "{status}");
    }
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(list(ReviewFilter { session: text("sesn_2"), ..all() }).await?, ["sevt_2"]);
    assert_eq!(list(ReviewFilter { agent: text("Support desk"), ..all() }).await?.len(), 2);
    assert_eq!(list(ReviewFilter { tool: text("bash"), ..all() }).await?, [""; 0]);
    let overdue =
        |due_before| ReviewFilter { status: Some(ReviewStatus::Open), due_before: Some(due_before), ..all() };
    assert_eq!(list(overdue(after(3600))).await?, [""; 0]);
    assert_eq!(list(overdue(after(3601))).await?, ["sevt_2"]);
    Ok(())
}

#[tokio::test]
async fn claims_steps_and_figures_are_kept() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = open(&bench, "sesn_1", "sevt_1").await?;
    let mut tx = bench.store.begin("claim").await?;
    store::claim_review(&mut tx, effect, "ada", after(60)).await?;
    store::note_step(&mut tx, effect, Step::Claimed, "ada", Some("for a minute"), after(1)).await?;
    let review = store::lock_review(&mut tx, effect).await?.context("no such review")?;
    assert!(review.is_claimed_from("bob", after(59)) && !review.is_claimed_from("ada", after(59)));
    assert!(!review.is_claimed_from("bob", after(60)));
    store::release_review(&mut tx, effect).await?;
    let review = store::lock_review(&mut tx, effect).await?.context("no such review")?;
    assert_eq!((review.claimed_by, review.claimed_until), (None, None));
    let steps = store::steps_of(&mut tx, effect).await?;
    assert_eq!((steps[0].step.as_str(), steps[0].actor.as_str(), steps[0].at), ("claimed", "ada", after(1)));
    let figures = store::review_figures(&mut tx, after(3601)).await?;
    assert_eq!(figures.by_status, [("open".to_owned(), 1)]);
    assert_eq!((figures.oldest_open_at, figures.overdue), (Some(noon()), 1));
    Ok(())
}

#[tokio::test]
async fn what_an_executor_could_not_do_is_a_persons() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = waits(&bench, "sesn_1", "sevt_1").await?;
    let route = Route::Executor { name: "refunds".to_owned() };
    keep(&bench, "sesn_1", &[question(effect, "sevt_1", route)]).await?;
    let review = find(&bench, effect).await?;
    assert_eq!((review.status, review.executor.as_deref()), (ReviewStatus::Executing, Some("refunds")));
    let mut tx = bench.store.begin("call").await?;
    store::begin_call(&mut tx, effect, 1, after(1)).await?;
    let review = store::lock_review(&mut tx, effect).await?.context("no such review")?;
    assert_eq!((review.calls, review.called_at), (1, Some(after(1))));
    store::end_call(&mut tx, effect).await?;
    store::hand_over(&mut tx, effect, PATIENCE, "it failed", after(9)).await?;
    tx.commit().await?;
    let review = find(&bench, effect).await?;
    assert_eq!((review.status, review.called_at), (ReviewStatus::Open, None));
    assert_eq!(review.due_at, Some(after(3609)));
    Ok(())
}
