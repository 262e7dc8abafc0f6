//! From an event that calls for an alert to the alert, and to its end.

use crate::bench::{Bench, Platform, event, platform_event};
use anyhow::{Context, Result};
use domain::{Clock, EffectKind};
use ops::alerts::{AlertEffects, Metrics, Resolver};
use ops::effects::Runner;
use serde_json::json;
use std::sync::Arc;
use store::{AlertFilter, AlertRow};

/// The alerts of a test: raised and resolved when the test says so.
struct Desk {
    runner: Runner<AlertEffects>,
    resolver: Resolver,
}

impl Desk {
    fn new(bench: &Bench, platform: &Platform) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        let metrics = Metrics::default();
        let handler =
            AlertEffects::new(bench.store.clone(), platform.client()?, Arc::clone(&clock), metrics.clone());
        let store = bench.store.clone();
        Ok(Self {
            runner: Runner::new(EffectKind::Alert, handler, store.clone(), Arc::clone(&clock), || 0.5, 8),
            resolver: Resolver::new(store, clock, metrics),
        })
    }

    async fn pass(&self) -> Result<()> {
        while self.runner.round().await? > 0 {}
        self.resolver.pass().await?;
        Ok(())
    }
}

async fn alerts(bench: &Bench) -> Result<Vec<AlertRow>> {
    let filter = AlertFilter { resolved_too: true, limit: 100, ..AlertFilter::default() };
    Ok(store::list_alerts(&mut *bench.store.connection().await?, &filter).await?)
}

async fn only_alert(bench: &Bench) -> Result<AlertRow> {
    let mut alerts = alerts(bench).await?;
    let first = alerts.pop().context("there is no alert")?;
    anyhow::ensure!(alerts.is_empty(), "another one: {alerts:?}");
    Ok(first)
}

#[tokio::test]
async fn a_refusal_raises_one_alert_with_its_reason_and_a_run_ends_it() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let desk = Desk::new(&bench, &platform)?;
    platform.stopped("sesn_1", "refusal", -60).await?;
    let events = [
        platform_event("whe_1", "session.status_idled", "sesn_1", -60)?,
        platform_event("whe_2", "session.updated", "sesn_1", -59)?,
    ];
    bench.process(&platform, &events).await?;
    desk.pass().await?;
    desk.pass().await?;
    let alert = only_alert(&bench).await?;
    assert_eq!(
        (alert.kind.as_str(), alert.severity.as_str(), alert.times),
        ("session_refusal", "warning", 1)
    );
    assert_eq!(alert.resource_id.as_deref(), Some("sesn_1"));
    assert_eq!(alert.details["stop_reason"]["type"], "refusal");
    assert_eq!(alert.details["errors"][0]["message"], "it broke");
    assert_eq!(alert.resolved_at, None);
    platform.running("sesn_1").await?;
    bench
        .process(&platform, &[platform_event("whe_3", "session.status_run_started", "sesn_1", -30)?])
        .await?;
    desk.pass().await?;
    assert_eq!(only_alert(&bench).await?.resolution.as_deref(), Some("session.status_run_started"));
    Ok(())
}

#[tokio::test]
async fn an_error_that_was_over_before_its_event_came_is_on_record_and_not_open() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let desk = Desk::new(&bench, &platform)?;
    platform.running("sesn_1").await?;
    let events = [
        platform_event("whe_2", "session.status_run_started", "sesn_1", -30)?,
        platform_event("whe_1", "session.status_error", "sesn_1", -60)?,
    ];
    bench.process(&platform, &events).await?;
    desk.pass().await?;
    let alert = only_alert(&bench).await?;
    assert_eq!((alert.kind.as_str(), alert.event_id.as_deref()), ("session_error", Some("whe_1")));
    assert_eq!(alert.resolved_at, Some(alert.raised_at));
    Ok(())
}

#[tokio::test]
async fn a_denied_message_raises_an_alert_that_names_the_categories_and_not_the_text() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let desk = Desk::new(&bench, &platform)?;
    let denied = event(&json!({
        "type": "content_moderation.denied", "event_id": "evt_1", "created_at": 1_773_575_000,
        "data": { "id": "msg_1", "model": "m", "moderation_results": [{
            "input": ["the words"], "flagged_by": "content_policy", "level": "high",
            "blocked_categories": ["sexual", "hate_speech"],
        }]},
    }))?;
    bench.process(&platform, &[denied]).await?;
    desk.pass().await?;
    let alert = only_alert(&bench).await?;
    assert_eq!(alert.kind, "moderation_denied");
    assert!(alert.title.ends_with(": hate_speech, sexual"), "{}", alert.title);
    assert!(!alert.details.to_string().contains("the words"), "{}", alert.details);
    Ok(())
}

#[tokio::test]
async fn an_api_that_stays_away_delays_an_alert_and_does_not_swallow_it() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let desk = Desk::new(&bench, &platform)?;
    platform.stopped("sesn_1", "retries_exhausted", -60).await?;
    bench.process(&platform, &[platform_event("whe_1", "session.status_idled", "sesn_1", -60)?]).await?;
    platform.fails_altogether(json!({ "status": 500 })).await?;
    for _ in 0..2 {
        desk.pass().await?;
        assert!(alerts(&bench).await?.is_empty());
        bench.advance(600);
    }
    desk.pass().await?;
    let alert = only_alert(&bench).await?;
    assert_eq!(alert.kind, "session_retries_exhausted");
    assert!(alert.details["details_missing"].as_str().is_some_and(|text| text.contains("500")));
    Ok(())
}
