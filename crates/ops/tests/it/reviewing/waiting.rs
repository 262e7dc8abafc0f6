//! Waiting for people.

use super::desk::{Desk, always, custom};
use crate::bench::{PATIENCE, Worker, after, message, platform_event};
use anyhow::Result;
use broker::Queue;
use chrono::TimeDelta;
use domain::policy::{Patience, Policy, Route};
use domain::review::ReviewStatus;
use domain::{Answer, Clock, EventStatus, Severity, Standing};
use ops::reviews::{Metrics, NotDecided, Watch, claim, release};
use std::sync::Arc;
use store::NewEvent;
use testkit::eventually;

fn person(minutes: i64) -> Policy {
    always(Route::Person(Patience { due: TimeDelta::minutes(minutes), severity: Severity::Critical }))
}

#[tokio::test]
async fn an_overdue_review_raises_one_alert_and_stays_open() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(person(30)).await?;
    desk.bench.advance(29 * 60);
    assert_eq!(desk.round(person(30)).await?, 0);
    desk.bench.advance(60);
    assert_eq!(desk.round(person(30)).await?, 1);
    assert_eq!(desk.alerts().await?, ["review_overdue sevt_1"]);
    assert_eq!(desk.bench.texts("SELECT severity FROM alerts").await?, ["critical"]);
    desk.bench.advance(24 * 3600);
    assert_eq!(desk.round(person(30)).await?, 0, "once");
    desk.decide("sevt_1", &Answer::text("done", false), "ada").await?;
    assert_eq!(desk.alerts().await?, [""; 0], "the decision resolves it");
    Ok(())
}

#[tokio::test]
async fn a_claim_keeps_others_away_until_it_ends_or_is_given_back() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1"), custom("sevt_2")]).await?;
    desk.waits("sesn_1", &["sevt_1", "sevt_2"]).await?;
    desk.round(Policy::default()).await?;
    let (store, clock) = (&desk.bench.store, &*desk.bench.clock);
    let effect = desk.find("sevt_1").await?.effect;
    let minutes = TimeDelta::minutes(15);
    assert_eq!(claim(store, clock, effect, "ada", minutes).await?, after(900));
    let refused = claim(store, clock, effect, "bob", minutes).await.unwrap_err();
    assert!(matches!(&refused, NotDecided::Claimed { by, until } if by == "ada" && *until == after(900)));
    assert!(refused.to_string().contains("ada until 20"), "{refused}");
    let answer = Answer::text("done", false);
    assert!(matches!(desk.decide("sevt_1", &answer, "bob").await, Err(NotDecided::Claimed { .. })));
    assert!(matches!(release(store, clock, effect, "bob").await, Err(NotDecided::Claimed { .. })));
    desk.bench.advance(60);
    assert_eq!(claim(store, clock, effect, "ada", minutes).await?, after(960), "her own is prolonged");
    assert!(release(store, clock, effect, "ada").await?);
    assert!(!release(store, clock, effect, "ada").await?);
    claim(store, clock, effect, "bob", minutes).await?;
    desk.bench.advance(900);
    desk.decide("sevt_1", &answer, "ada").await?;
    let steps: Vec<_> = desk.steps("sevt_1").await?.into_iter().map(|step| step.step).collect();
    assert_eq!(steps, ["routed", "claimed", "claimed", "released", "claimed", "decided"]);

    let other = desk.find("sevt_2").await?.effect;
    claim(store, clock, other, "ada", minutes).await?;
    desk.decide("sevt_2", &answer, "ada").await?;
    let late = claim(store, clock, other, "bob", minutes).await.unwrap_err();
    assert!(matches!(&late, NotDecided::Decided { by, .. } if by == "ada"), "{late}");
    Ok(())
}

#[tokio::test]
async fn a_review_is_obsolete_while_the_session_does_not_wait_and_due_again_when_it_does() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1")]).await?;
    desk.waits("sesn_1", &["sevt_1"]).await?;
    desk.round(Policy::default()).await?;
    desk.stands("sesn_1", &["sevt_1"], Standing::Obsolete).await?;
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Obsolete);
    let answer = Answer::text("done", false);
    let refused = desk.decide("sevt_1", &answer, "ada").await.unwrap_err();
    assert!(matches!(refused, NotDecided::Obsolete { .. }), "{refused}");
    desk.bench.advance(24 * 3600);
    assert_eq!(desk.round(Policy::default()).await?, 0, "nobody is told of it");
    desk.waits("sesn_1", &["sevt_1"]).await?;
    assert_eq!(desk.status("sevt_1").await?, ReviewStatus::Open);
    desk.round(Policy::default()).await?;
    assert_eq!(desk.alerts().await?, ["review_overdue sevt_1"]);
    desk.decide("sevt_1", &answer, "ada").await?;
    assert_eq!(desk.replies().await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_order_events_arrive_in_there_is_one_review_for_each_tool_use() -> Result<()> {
    let desk = Desk::new().await?;
    let types = ["session.status_idled", "session.requires_action", "session.updated"];
    let mut events: Vec<NewEvent> = Vec::new();
    for session in ["sesn_1", "sesn_2", "sesn_3"] {
        desk.platform.waiting(session).await?;
        for (n, event_type) in (0_i64..).zip(types) {
            events.push(platform_event(&format!("whe_{session}_{n}"), event_type, session, -n)?);
        }
    }
    events.reverse();
    desk.bench.accept(&events).await?;
    let worker = Worker::start(&desk.bench, &desk.platform).await?;
    let messages: Vec<_> = events.iter().chain(events.iter().rev()).map(message).collect();
    desk.bench.publish(Queue::Work, &messages).await?;
    for event in &events {
        let id = event.event.id.as_str();
        desk.bench.until(id, "finished", |detail| detail.row.status != EventStatus::Pending.as_str()).await?;
    }
    worker.stopped().await?;
    let reviewed = eventually(PATIENCE, "six open reviews", async || {
        desk.round(Policy::default()).await?;
        let open = desk.bench.number("SELECT count(*) FROM reviews").await?;
        Ok((open >= 6).then_some(open))
    })
    .await?;
    assert_eq!(reviewed, 6);
    for id in ["sesn_1_ask_1", "sesn_2_ask_2", "sesn_3_ask_1"] {
        assert_eq!(desk.status(id).await?, ReviewStatus::Open);
    }
    Ok(())
}

#[tokio::test]
async fn an_alert_about_a_review_that_is_over_is_resolved_by_a_look() -> Result<()> {
    let desk = Desk::new().await?;
    desk.session("sesn_1", &[custom("sevt_1"), custom("sevt_2")]).await?;
    desk.waits("sesn_1", &["sevt_1", "sevt_2"]).await?;
    desk.round(person(30)).await?;
    desk.bench.advance(31 * 60);
    desk.round(person(30)).await?;
    let clock: Arc<dyn Clock> = Arc::clone(&desk.bench.clock) as _;
    let watch = Watch::new(desk.bench.store.clone(), clock, Metrics::default());
    watch.look().await?;
    assert_eq!(desk.alerts().await?.len(), 2);
    desk.stands("sesn_1", &["sevt_1"], Standing::Obsolete).await?;
    watch.look().await?;
    assert_eq!(desk.alerts().await?, ["review_overdue sevt_2"]);
    Ok(())
}
