//! Sinks are told of alerts: each at least once, in order, signed, and for no longer than a day.

use crate::bench::{Bench, Listener, noon};
use anyhow::{Context, Result};
use callout::Caller;
use domain::{Clock, Severity};
use ops::alerts::{Courier, Metrics, Sink};
use serde_json::json;
use signing::{Headers, Schemes, Secret};
use std::sync::Arc;
use store::NewAlert;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn courier(bench: &Bench, sink: Sink) -> Result<Courier> {
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    Ok(Courier::new(bench.store.clone(), sink, Caller::new()?, clock, Metrics::default()))
}

fn webhook(listener: &Listener) -> Result<Sink> {
    Ok(Sink::Webhook { url: listener.url.clone(), secret: Box::new(Secret::parse(SECRET)?) })
}

async fn raise(bench: &Bench, severity: Severity) -> Result<i64> {
    let alert = NewAlert {
        kind: "session_error",
        key: "session sesn_1",
        severity,
        resource: None,
        title: "it <broke>",
        details: json!({ "n": 1 }),
        event: None,
    };
    Ok(store::raise_alert(&mut *bench.store.connection().await?, &alert, bench.clock.now()).await?)
}

async fn resolve(bench: &Bench) -> Result<()> {
    let (kind, key) = ("session_error", "session sesn_1");
    let mut connection = bench.store.connection().await?;
    assert!(store::resolve_alert(&mut connection, kind, key, bench.clock.now()).await?);
    Ok(())
}

#[tokio::test]
async fn a_webhook_is_told_of_beginning_escalation_and_end_once_each_and_signed() -> Result<()> {
    let (bench, listener) = (Bench::new().await?, Listener::start(200).await?);
    let couriers = [courier(&bench, webhook(&listener)?)?, courier(&bench, webhook(&listener)?)?];
    let all = async || {
        for courier in &couriers {
            while courier.round().await? > 0 {}
        }
        bench.advance(1);
        anyhow::Ok(())
    };
    let id = raise(&bench, Severity::Warning).await?;
    all().await?;
    raise(&bench, Severity::Warning).await?;
    all().await?;
    raise(&bench, Severity::Critical).await?;
    all().await?;
    resolve(&bench).await?;
    all().await?;
    let sent = listener.sent();
    let heard: Vec<_> = sent
        .iter()
        .map(|sent| sent.json().map(|body| format!("{} {}", body["type"], body["alert"]["severity"])))
        .collect::<Result<_>>()?;
    let expected =
        [r#""alert.raised" "warning""#, r#""alert.raised" "critical""#, r#""alert.resolved" "critical""#];
    assert_eq!(heard, expected);
    for (sent, phase) in sent.iter().zip(["raised", "escalated", "resolved"]) {
        assert_eq!(sent.headers["webhook-id"], format!("alert_{id}_{phase}"));
        let lookup = |name: &str| sent.headers.get(&name.to_ascii_lowercase()).map(String::as_str);
        let (headers, secrets) = (Headers::from_lookup(lookup), [Secret::parse(SECRET)?]);
        let now = noon().timestamp();
        signing::verify(&headers, &sent.body, &secrets, now, 300, Schemes::Standard)
            .map_err(|rejection| anyhow::anyhow!("{rejection:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn slack_gets_a_line_of_text() -> Result<()> {
    let (bench, listener) = (Bench::new().await?, Listener::start(200).await?);
    let id = raise(&bench, Severity::Critical).await?;
    courier(&bench, Sink::Slack { url: listener.url.clone() })?.round().await?;
    let sent = listener.sent().pop().context("nothing was sent")?;
    assert_eq!(sent.json()?, json!({ "text": format!("*critical* it &lt;broke&gt; (alert {id})") }));
    assert!(!sent.headers.contains_key("webhook-signature"));
    Ok(())
}

#[tokio::test]
async fn a_sink_that_fails_is_tried_again_and_a_redirect_is_a_failure() -> Result<()> {
    let (bench, listener) = (Bench::new().await?, Listener::start(500).await?);
    let courier = courier(&bench, webhook(&listener)?)?;
    let id = raise(&bench, Severity::Warning).await?;
    assert_eq!(courier.round().await?, 1);
    // Not at once, and the end is not told before the beginning.
    resolve_later(&bench).await?;
    listener.answers(302);
    assert_eq!(courier.round().await?, 0);
    bench.advance(6);
    assert_eq!(courier.round().await?, 1);
    listener.answers(204);
    bench.advance(60);
    while courier.round().await? > 0 {}
    assert_eq!(listener.sent().len(), 4);
    let mut connection = bench.store.connection().await?;
    let told = store::alert_deliveries_of(&mut connection, id).await?;
    let told: Vec<_> =
        told.iter().map(|told| (told.phase.as_str(), told.tries, told.delivered_at.is_some())).collect();
    assert_eq!(told, [("raised", 2, true), ("resolved", 0, true)]);
    Ok(())
}

async fn resolve_later(bench: &Bench) -> Result<()> {
    bench.advance(1);
    resolve(bench).await
}

#[tokio::test]
async fn a_sink_that_fails_for_a_day_is_given_up_and_its_error_names_no_url() -> Result<()> {
    let (bench, listener) = (Bench::new().await?, Listener::start(500).await?);
    let courier = courier(&bench, webhook(&listener)?)?;
    let id = raise(&bench, Severity::Warning).await?;
    for _ in 0..2 {
        courier.round().await?;
        bench.advance(86_395);
    }
    assert_eq!(courier.round().await?, 0);
    let mut connection = bench.store.connection().await?;
    let told = store::alert_deliveries_of(&mut connection, id).await?.pop().context("no delivery")?;
    assert!(told.given_up_at.is_some() && told.tries == 2, "{told:?}");
    let error = told.last_error.unwrap_or_default();
    assert!(error.contains("500") && !error.contains("hook-of-secret-name"), "{error}");
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_of_what_was_over_before_it_was_raised() -> Result<()> {
    let (bench, listener) = (Bench::new().await?, Listener::start(200).await?);
    raise(&bench, Severity::Warning).await?;
    resolve(&bench).await?;
    assert_eq!(courier(&bench, webhook(&listener)?)?.round().await?, 0);
    assert!(listener.sent().is_empty());
    Ok(())
}
