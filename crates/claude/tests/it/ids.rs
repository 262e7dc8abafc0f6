//! Ids come from webhooks and may hold anything.

use crate::fake::{Fake, Reply, session};
use anyhow::Result;
use claude::{Error, Paging};
use domain::FailureClass;

#[tokio::test]
async fn an_odd_id_stays_in_its_segment() -> Result<()> {
    let fake = Fake::start((0..4).map(|_| Reply::ok(session("s"))))?;
    let client = fake.client()?;
    for id in ["../x", "a?b=c#d", "100%", "a b\\c"] {
        client.session(id).await?;
    }
    assert_eq!(
        fake.targets(),
        ["/v1/sessions/..%2Fx", "/v1/sessions/a%3Fb=c%23d", "/v1/sessions/100%25", "/v1/sessions/a%20b%5Cc"]
    );
    Ok(())
}

#[tokio::test]
async fn an_impossible_id_is_never_asked_for() -> Result<()> {
    let fake = Fake::start([])?;
    let client = fake.client()?;
    let errors = [
        client.session("").await.unwrap_err(),
        client.session("..").await.unwrap_err(),
        client.delete_session(".\t.").await.unwrap_err(),
        client.thread("s", "").await.unwrap_err(),
        client.thread_events("", "t", &Paging::default()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::InvalidId { .. }), "{error}");
        assert_eq!(error.class(), FailureClass::Permanent);
    }
    assert!(fake.asked().is_empty());
    Ok(())
}
