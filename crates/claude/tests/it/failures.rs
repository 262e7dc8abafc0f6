//! Refusals of the API, and no API at all.

use crate::fake::{Fake, Reply, config};
use anyhow::Result;
use claude::{Client, Config, Error};
use domain::FailureClass;
use std::time::Duration;
use tokio::net::TcpListener;

#[tokio::test]
async fn every_status_has_its_class_and_its_number_of_attempts() -> Result<()> {
    let cases = [
        (400, FailureClass::Permanent, 1),
        (401, FailureClass::Configuration, 1),
        (402, FailureClass::Configuration, 1),
        (403, FailureClass::Configuration, 1),
        (404, FailureClass::Gone, 1),
        (408, FailureClass::Transient, 3),
        (409, FailureClass::Transient, 3),
        (413, FailureClass::Permanent, 1),
        (422, FailureClass::Permanent, 1),
        (429, FailureClass::Throttled, 3),
        (500, FailureClass::Transient, 3),
        (503, FailureClass::Transient, 3),
        (504, FailureClass::Transient, 3),
        (529, FailureClass::Transient, 3),
    ];
    for (status, class, attempts) in cases {
        let fake = Fake::start((0..4).map(|_| Reply::error(status, "some_error")))?;
        let error = fake.client()?.session("s").await.unwrap_err();
        assert_eq!(error.class(), class, "{status}");
        assert_eq!(fake.asked().len(), attempts, "{status}");
        assert_eq!(error.request_id(), Some("req_of_the_refusal"));
        assert_eq!(
            error.to_string(),
            format!("get_session was answered {status} some_error: No, some_error.")
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_not_followed() -> Result<()> {
    for status in [301, 302, 303, 307, 308] {
        let target = Fake::start([])?;
        let fake = Fake::start([Reply::new(status, "").header("location", &target.url)])?;
        let error = fake.client()?.session("s").await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Configuration, "{status}");
        assert!(target.asked().is_empty(), "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_with_an_html_body_keeps_its_status() -> Result<()> {
    let page = format!("<html>{}", "x".repeat(200_000));
    let fake = Fake::start([Reply::new(413, page).header("content-type", "text/html")])?;
    let error = fake.client()?.session("s").await.unwrap_err();
    assert_eq!(error.to_string(), "get_session was answered 413");
    Ok(())
}

#[tokio::test]
async fn a_refused_connection_is_transient_and_changed_nothing() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(listener);
    let error = Client::new(config(&format!("http://{address}")))?.delete_session("s").await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.class(), FailureClass::Transient);
    assert!(!error.may_have_been_applied());
    Ok(())
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_may_have_changed_something() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let client = Client::new(config(&url))?.retrying_at_most(claude::Retry::Never);
    let hang_up = async {
        let (mut stream, _) = listener.accept().await?;
        // Reading the request first makes this a hang-up and not a reset before the request was sent.
        let mut request = [0; 1024];
        tokio::io::AsyncReadExt::read(&mut stream, &mut request).await
    };
    let (error, read) = tokio::join!(client.session("s"), hang_up);
    assert!(read? > 0);
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error:?}");
    assert!(error.may_have_been_applied());
    Ok(())
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() -> Result<()> {
    // The kernel accepts the connection, nobody ever reads from it.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let client = Client::new(Config { total_timeout: Duration::from_millis(100), ..config(&url) })?;
    let error = client.session("s").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(error.class(), FailureClass::Transient);
    Ok(())
}
