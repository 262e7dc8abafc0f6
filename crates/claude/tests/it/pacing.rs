//! Slowing down before requests.

use crate::fake::{Fake, Reply, config, session};
use anyhow::Result;
use claude::{Client, Config, Pace, Paced};
use domain::CallClass;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Lets as many requests through as it has permits, and writes down what it hears.
struct Turnstile {
    permits: Semaphore,
    heard: Mutex<Vec<String>>,
}

impl Pace for Turnstile {
    fn before(&self, class: CallClass) -> Paced<'_> {
        Box::pin(async move {
            self.permits.acquire().await.unwrap().forget();
            self.heard.lock().unwrap().push(class.as_str().to_owned());
        })
    }

    fn throttled(&self, retry_after: Option<Duration>) -> Paced<'_> {
        Box::pin(async move {
            self.heard.lock().unwrap().push(format!("429 {retry_after:?}"));
        })
    }
}

#[tokio::test]
async fn each_attempt_waits_for_its_turn_and_each_429_is_told() -> Result<()> {
    let fake = Fake::start([
        Reply::error(500, "api_error"),
        Reply::error(429, "rate_limit_error").header("retry-after-ms", "1"),
        Reply::ok(session("s")),
        Reply::error(429, "rate_limit_error"),
        Reply::error(429, "rate_limit_error").header("retry-after", "60"),
    ])?;
    let turnstile = Arc::new(Turnstile { permits: Semaphore::new(5), heard: Mutex::default() });
    let pace: Arc<dyn Pace> = turnstile.clone();
    let client = Client::new(Config { pace: Some(pace), ..config(&fake.url) })?;
    client.session("s").await?;
    client.archive_session("s").await.unwrap_err();
    let heard = turnstile.heard.lock().unwrap().clone();
    let long = "429 Some(60s)";
    assert_eq!(heard, ["read", "read", "429 Some(1ms)", "read", "write", "429 None", "write", long]);
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_before_its_turn() -> Result<()> {
    let fake = Fake::start([Reply::ok(session("s"))])?;
    let turnstile = Arc::new(Turnstile { permits: Semaphore::new(0), heard: Mutex::default() });
    let pace: Arc<dyn Pace> = turnstile.clone();
    let client = Client::new(Config { pace: Some(pace), ..config(&fake.url) })?;
    let asking = client.session("s");
    tokio::pin!(asking);
    tokio::select! {
        biased;
        _ = &mut asking => panic!("it did not wait"),
        () = tokio::task::yield_now() => {}
    }
    assert!(fake.asked().is_empty());
    turnstile.permits.add_permits(1);
    asking.await?;
    assert_eq!(fake.asked().len(), 1);
    Ok(())
}
