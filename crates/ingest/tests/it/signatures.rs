//! Who is believed, and what the others are told.

use crate::bench::{Bench, Ingest};
use anyhow::Result;
use serde_json::json;
use signing::Secret;
use testkit::clock::{real_now, unix_seconds};
use testkit::deliver::{Answer, random_secret};
use testkit::payload;

const ID: &str = "whe_1";
const WINDOW_SECONDS: i64 = 300;
/// Time that may pass between signing here and verifying there.
const SLACK_SECONDS: i64 = 20;

fn body() -> String {
    payload::platform(ID, "session.status_idled", "sesn_1", real_now()).to_string()
}

async fn post(ingest: &Ingest, headers: &[(&str, String)], body: &str) -> Result<Answer> {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ingest.sender.post(&headers, body.to_owned()).await
}

fn standard(secret: &Secret, at: i64, body: &str) -> Vec<(&'static str, String)> {
    vec![
        ("webhook-id", ID.to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signing::sign(secret, ID, at, body.as_bytes())),
    ]
}

#[tokio::test]
async fn a_delivery_that_is_not_believed_is_told_why_and_leaves_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let secret = Secret::parse(&bench.secret)?;
    let other = Secret::parse(&random_secret())?;
    let (now, body) = (unix_seconds(), body());
    let without = |name: &str| {
        let mut headers = standard(&secret, now, &body);
        headers.retain(|(header, _)| *header != name);
        headers
    };
    let with = |name: &'static str, value: &str| {
        let mut headers = without(name);
        headers.push((name, value.to_owned()));
        headers
    };
    let x = |value: String| vec![("x-webhook-signature", value)];
    let old = now - WINDOW_SECONDS - SLACK_SECONDS;
    let table = [
        (standard(&other, now, &body), "no_match"),
        (standard(&secret, now, &body.replace("sesn_1", "sesn_2")), "no_match"),
        (with("webhook-id", "whe_2"), "no_match"),
        (with("webhook-timestamp", &(now - 1).to_string()), "no_match"),
        (with("webhook-signature", "v1,AAAA"), "no_match"),
        (with("webhook-signature", "garbage"), "no_match"),
        (with("webhook-signature", &"v1,".repeat(2000)), "no_match"),
        (without("webhook-id"), "missing_header"),
        (without("webhook-timestamp"), "missing_header"),
        (without("webhook-signature"), "missing_header"),
        (with("webhook-signature", ""), "missing_header"),
        (Vec::new(), "missing_header"),
        (standard(&secret, old, &body), "too_old"),
        (standard(&secret, now + WINDOW_SECONDS + SLACK_SECONDS, &body), "too_new"),
        (with("webhook-timestamp", "yesterday"), "bad_timestamp"),
        (with("webhook-timestamp", "-5"), "bad_timestamp"),
        (with("webhook-timestamp", "1789000000.5"), "bad_timestamp"),
        (with("webhook-timestamp", "99999999999999999999999"), "bad_timestamp"),
        (x(signing::sign_body_hex(&other, body.as_bytes())), "no_match"),
        (x(signing::sign_timestamped_hex(&secret, old, body.as_bytes())), "too_old"),
        (x("t=1,t=2,v1=00".to_owned()), "bad_timestamp"),
    ];
    for (number, (headers, reason)) in table.iter().enumerate() {
        let answer = post(&ingest, headers, &body).await?;
        assert_eq!(answer.status, 400, "case {number}, {reason}: {}", answer.body);
        assert_eq!(answer.json()?["reason"], *reason, "case {number}");
    }
    assert_eq!((bench.count("events").await?, bench.count("quarantine").await?), (0, 0));
    // The very same event is welcome when it is signed rightly.
    assert_eq!(post(&ingest, &standard(&secret, now, &body), &body).await?.status, 200);
    let (_, metrics) = ingest.internal("/metrics").await?;
    for reason in ["no_match", "missing_header", "too_old", "too_new", "bad_timestamp"] {
        let cases = table.iter().filter(|(_, expected)| *expected == reason).count();
        let line = format!("ingest_deliveries_total{{outcome=\"{reason}\"}} {cases}\n");
        assert!(metrics.contains(&line), "no {line:?} in {metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn the_window_is_open_on_both_sides() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let secret = Secret::parse(&bench.secret)?;
    let body = body();
    for skew in [-(WINDOW_SECONDS - SLACK_SECONDS), WINDOW_SECONDS - SLACK_SECONDS] {
        let answer = post(&ingest, &standard(&secret, unix_seconds() + skew, &body), &body).await?;
        assert_eq!(answer.status, 200, "{skew}: {}", answer.body);
    }
    Ok(())
}

#[tokio::test]
async fn both_secrets_of_a_rotation_are_believed_and_a_third_is_not() -> Result<()> {
    let bench = Bench::new().await?;
    let (first, second, third) = (random_secret(), random_secret(), random_secret());
    let both = format!("{first},{second}");
    let ingest = bench.ingest(&[("ANTHROPIC_WEBHOOK_SIGNING_KEY", &both)]).await?;
    let body = body();
    for (secret, status) in [(first, 200), (second, 200), (third, 400)] {
        let headers = standard(&Secret::parse(&secret)?, unix_seconds(), &body);
        assert_eq!(post(&ingest, &headers, &body).await?.status, status);
    }
    // A sender in the middle of its own rotation signs with both; one right signature is enough.
    let (ours, other) = (Secret::parse(&both[..both.find(',').unwrap()])?, Secret::parse(&random_secret())?);
    let now = unix_seconds();
    let signatures = [&other, &ours].map(|secret| signing::sign(secret, ID, now, body.as_bytes()));
    let mut headers = standard(&ours, now, &body);
    headers.retain(|(name, _)| *name != "webhook-signature");
    headers.push(("webhook-signature", format!("v1a,{} {}", "c2ln", signatures.join(" "))));
    assert_eq!(post(&ingest, &headers, &body).await?.status, 200);
    Ok(())
}

fn x_forms(secret: &Secret, body: &str) -> Vec<Vec<(&'static str, String)>> {
    let (now, bytes) = (unix_seconds(), body.as_bytes());
    let hex = signing::sign_body_hex(secret, bytes);
    let x = |value: String| vec![("x-webhook-signature", value)];
    vec![
        vec![
            ("x-webhook-id", ID.to_owned()),
            ("x-webhook-timestamp", now.to_string()),
            ("x-webhook-signature", signing::sign(secret, ID, now, bytes)),
        ],
        x(signing::sign_timestamped_hex(secret, now, bytes)),
        x(format!("sha256={hex}")),
        x(hex.to_uppercase()),
        x(hex),
        x(signing::sign_body_base64(secret, bytes)),
    ]
}

#[tokio::test]
async fn every_form_of_x_webhook_signature_is_believed() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let body = body();
    for headers in x_forms(&Secret::parse(&bench.secret)?, &body) {
        let answer = post(&ingest, &headers, &body).await?;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.body);
    }
    Ok(())
}

#[tokio::test]
async fn standard_schemes_alone_switch_x_webhook_signature_off() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[("HOLDFAST_SIGNATURE_SCHEMES", "standard")]).await?;
    let (secret, body) = (Secret::parse(&bench.secret)?, body());
    for headers in x_forms(&secret, &body) {
        let answer = post(&ingest, &headers, &body).await?;
        assert_eq!((answer.status, answer.json()?["reason"].clone()), (400, json!("missing_header")));
    }
    assert_eq!(post(&ingest, &standard(&secret, unix_seconds(), &body), &body).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn complete_standard_headers_alone_decide() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let (secret, body) = (Secret::parse(&bench.secret)?, body());
    let mut headers = standard(&Secret::parse(&random_secret())?, unix_seconds(), &body);
    headers.push(("x-webhook-signature", signing::sign_body_hex(&secret, body.as_bytes())));
    assert_eq!(post(&ingest, &headers, &body).await?.json()?["reason"], "no_match");
    Ok(())
}

#[tokio::test]
async fn a_body_only_signature_of_an_old_thin_event_is_a_replay_and_of_a_classic_one_is_not() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let secret = Secret::parse(&bench.secret)?;
    let old = real_now() - std::time::Duration::from_hours(1);
    let future = real_now() + std::time::Duration::from_hours(1);
    let table = [
        (payload::platform(ID, "session.status_idled", "sesn_1", old), 400, "too_old"),
        (payload::flat(ID, "session.status_idled", "sesn_1", old), 400, "too_old"),
        (payload::platform(ID, "session.status_idled", "sesn_1", future), 400, "too_new"),
        (payload::message_created("evt_1", "msg_1", old), 200, ""),
    ];
    for (body, status, reason) in table {
        let body = body.to_string();
        let headers = [("x-webhook-signature", signing::sign_body_hex(&secret, body.as_bytes()))];
        let answer = post(&ingest, &headers, &body).await?;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert_eq!(answer.json()?["reason"].as_str().unwrap_or_default(), reason, "{body}");
    }
    assert_eq!(bench.count("events").await?, 1);
    Ok(())
}
