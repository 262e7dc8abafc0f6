//! Keys and fixed headers.

use crate::fake::{Fake, KEY, Reply, config, session};
use anyhow::Result;
use claude::{Auth, Client, Error, Key};
use domain::FailureClass;
use std::error::Error as _;
use std::fmt::Write as _;

#[tokio::test]
async fn an_api_key_goes_into_its_own_header_alone() -> Result<()> {
    let fake = Fake::start([Reply::ok(session("s"))])?;
    fake.client()?.session("s").await?;
    let asked = fake.asked();
    assert_eq!(asked[0].header("x-api-key"), Some(KEY));
    assert_eq!(asked[0].header("authorization"), None);
    Ok(())
}

#[tokio::test]
async fn a_bearer_key_goes_into_authorization_alone() -> Result<()> {
    let fake = Fake::start([Reply::ok(session("s"))])?;
    let client = Client::new(claude::Config { auth: Auth::Bearer(Key::new(KEY)), ..config(&fake.url) })?;
    client.session("s").await?;
    let asked = fake.asked();
    assert_eq!(asked[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(asked[0].header("x-api-key"), None);
    Ok(())
}

#[tokio::test]
async fn version_beta_and_user_agent_are_on_every_request() -> Result<()> {
    let fake = Fake::start([Reply::ok(session("s"))])?;
    fake.client()?.session("s").await?;
    let asked = fake.asked();
    assert_eq!(asked[0].header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(asked[0].header("anthropic-beta"), Some("managed-agents-2026-04-01"));
    assert_eq!(asked[0].header("user-agent"), Some(concat!("holdfast/", env!("CARGO_PKG_VERSION"))));
    Ok(())
}

#[tokio::test]
async fn version_and_beta_are_settings() -> Result<()> {
    let fake = Fake::start([Reply::ok(session("s"))])?;
    let version = "2026-10-21".to_owned();
    let client = Client::new(claude::Config { version, beta: "one,two".to_owned(), ..config(&fake.url) })?;
    client.session("s").await?;
    let asked = fake.asked();
    assert_eq!(asked[0].header("anthropic-version"), Some("2026-10-21"));
    assert_eq!(asked[0].header("anthropic-beta"), Some("one,two"));
    Ok(())
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let build = |change: fn(&mut claude::Config)| {
        let mut config = config("http://127.0.0.1:1");
        change(&mut config);
        Client::new(config).unwrap_err()
    };
    let errors = [
        build(|config| config.auth = Auth::Bearer(Key::new(""))),
        build(|config| config.auth = Auth::Bearer(Key::new("line\nfeed"))),
        build(|config| config.version = "\u{7f}".to_owned()),
        build(|config| config.base_url = "api.anthropic.com".to_owned()),
    ];
    for error in errors {
        assert_eq!(error.class(), FailureClass::Configuration, "{error}");
        assert!(!format!("{error:?} {error}").contains("feed"), "{error:?}");
    }
}

/// Everything that printing an error with all its sources may show.
fn everything(error: &Error) -> String {
    let mut text = format!("{error:?} {error:#?} {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} {cause:?} {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn the_key_is_in_no_debug_output_and_in_no_error() -> Result<()> {
    let echo =
        format!(r#"{{"error":{{"type":"{KEY}","message":"got {KEY}","details":{{"error_code":"{KEY}"}}}}}}"#);
    for auth in [Auth::ApiKeyHeader(Key::new(KEY)), Auth::Bearer(Key::new(KEY))] {
        let fake = Fake::start([
            Reply::new(401, echo.clone()).header("request-id", KEY),
            Reply::ok("<html>").header("content-type", KEY),
            Reply::new(302, "").header("location", "http://127.0.0.1:1/"),
        ])?;
        let config = claude::Config { auth, ..config(&fake.url) };
        let mut printed = format!("{config:?} {config:#?}");
        let client = Client::new(config.clone())?;
        write!(printed, "{client:?}")?;
        for _ in 0..3 {
            printed.push_str(&everything(&client.session("s").await.unwrap_err()));
        }
        let nowhere = Client::new(claude::Config { base_url: "http://127.0.0.1:1".to_owned(), ..config })?;
        printed.push_str(&everything(&nowhere.session("s").await.unwrap_err()));
        assert!(!printed.contains("very-secret"), "{printed}");
        assert!(printed.contains("[redacted]"), "{printed}");
    }
    Ok(())
}
