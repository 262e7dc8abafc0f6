//! What metrics can count.

use crate::fake::{End, Fake, Reply, config, session};
use anyhow::Result;
use claude::{Client, Config};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn every_attempt_is_seen_with_its_outcome() -> Result<()> {
    let fake = Fake::start([
        Reply::error(500, "api_error"),
        Reply::ok("{").end(End::CutOff),
        Reply::ok(session("s")),
        Reply::ok("x".repeat(200_000)),
    ])?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let observer: claude::Observer = Arc::new(move |attempt: &claude::Attempt| {
        let label = attempt.outcome.label().into_owned();
        sink.lock().unwrap().push((attempt.operation, attempt.number, label));
    });
    let client = Client::new(Config { observer: Some(observer), ..config(&fake.url) })?;
    client.session("s").await?;
    client.archive_session("s").await.unwrap_err();
    let labels = seen.lock().unwrap().clone();
    let expected = [
        ("get_session", 0, "500"),
        ("get_session", 1, "interrupted"),
        ("get_session", 2, "200"),
        ("archive_session", 0, "too_large"),
    ];
    assert_eq!(labels, expected.map(|(operation, number, label)| (operation, number, label.to_owned())));
    Ok(())
}
