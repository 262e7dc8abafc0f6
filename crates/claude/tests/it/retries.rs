//! Trying again in place.

use crate::fake::{Fake, Reply, config, session};
use anyhow::Result;
use claude::{Client, Config, Retry, RetryPolicy};
use domain::FailureClass;
use std::time::{Duration, Instant};

#[tokio::test]
async fn two_failures_are_overcome() -> Result<()> {
    let fake = Fake::start([
        Reply::error(529, "overloaded_error"),
        Reply::error(500, "api_error"),
        Reply::ok(session("s")),
    ])?;
    assert_eq!(fake.client()?.session("s").await?.value.id, "s");
    assert_eq!(fake.asked().len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_platforms_word_decides_whether_to_try_again() -> Result<()> {
    let yes = Reply::error(400, "invalid_request_error").header("x-should-retry", "true");
    let fake = Fake::start([yes, Reply::ok(session("s"))])?;
    fake.client()?.session("s").await?;

    let no = Reply::error(503, "api_error").header("x-should-retry", "false");
    let fake = Fake::start([no, Reply::ok(session("s"))])?;
    assert_eq!(fake.client()?.session("s").await.unwrap_err().class(), FailureClass::Transient);
    assert_eq!(fake.asked().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_short_requested_wait_is_waited_for_in_place() -> Result<()> {
    let forms = [("retry-after", "0.2"), ("retry-after-ms", "200")];
    for (name, value) in forms {
        let fake = Fake::start([
            Reply::error(429, "rate_limit_error").header(name, value),
            Reply::ok(session("s")),
        ])?;
        let started = Instant::now();
        fake.client()?.session("s").await?;
        assert!(started.elapsed() >= Duration::from_millis(200), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_long_requested_wait_is_handed_to_the_caller() -> Result<()> {
    let forms = [
        ("retry-after", "60"),
        ("retry-after", "Fri, 31 Jul 2026 12:01:00 GMT"),
        ("retry-after-ms", "60000"),
    ];
    for (name, value) in forms {
        let fake = Fake::start([Reply::error(429, "rate_limit_error").header(name, value)])?;
        let error = fake.client()?.session("s").await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Throttled);
        assert_eq!(error.retry_after(), Some(Duration::from_mins(1)), "{value}");
        assert_eq!(fake.asked().len(), 1, "{value}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wait_already_spent_is_still_reported() -> Result<()> {
    let fake =
        Fake::start((0..3).map(|_| Reply::error(429, "rate_limit_error").header("retry-after", "0.01")))?;
    let error = fake.client()?.session("s").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_millis(10)));
    assert_eq!(fake.asked().len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_number_of_retries_is_a_setting() -> Result<()> {
    for retries in [0, 1, 4] {
        let fake = Fake::start((0..9).map(|_| Reply::error(500, "api_error")))?;
        let base = config(&fake.url);
        let retry = RetryPolicy { retries, ..base.retry };
        Client::new(Config { retry, ..base })?.session("s").await.unwrap_err();
        assert_eq!(fake.asked().len(), retries as usize + 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_careful_client_does_not_try_again() -> Result<()> {
    let fake = Fake::start([Reply::error(500, "api_error")])?;
    let client = fake.client()?.retrying_at_most(Retry::Never).retrying_at_most(Retry::Sdk);
    client.session("s").await.unwrap_err();
    assert_eq!(fake.asked().len(), 1, "a later, looser limit does not undo the first");
    Ok(())
}
