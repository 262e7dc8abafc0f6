//! Successful answers with bodies that cannot be used.

use crate::fake::{End, Fake, Reply, config, session};
use anyhow::{Result, bail, ensure};
use claude::{Client, Config, Defect, Error, EventFilter};
use domain::FailureClass;
use std::time::Duration;

/// What the client finds wrong with the body of a complete, successful answer.
async fn defect_of(reply: Reply) -> Result<Defect> {
    let fake = Fake::start([reply.header("request-id", "req_1")])?;
    let result = fake.client()?.session("s").await;
    ensure!(fake.asked().len() == 1, "a complete answer was asked for again");
    let Err(error) = result else { bail!("the body was accepted") };
    ensure!(error.class() == FailureClass::Transient, "{error} is {}", error.class());
    ensure!(error.request_id() == Some("req_1"), "{error} lost its request id");
    if let Error::Body { defect, .. } = error { Ok(defect) } else { Err(error.into()) }
}

#[tokio::test]
async fn an_html_page_is_not_json() -> Result<()> {
    let page = Reply::ok("<!DOCTYPE html><p>Maintenance").header("content-type", "text/html");
    assert_eq!(defect_of(page).await?, Defect::NotJson { content_type: Some("text/html".to_owned()) });
    Ok(())
}

#[tokio::test]
async fn nothing_is_not_json() -> Result<()> {
    assert!(matches!(defect_of(Reply::ok("")).await?, Defect::NotJson { .. }));
    Ok(())
}

#[tokio::test]
async fn json_that_ends_too_early_is_cut_off() -> Result<()> {
    assert_eq!(defect_of(Reply::ok(r#"{"id":"s","status":"id"#)).await?, Defect::Truncated);
    Ok(())
}

#[tokio::test]
async fn a_missing_or_mistyped_member_is_named() -> Result<()> {
    let cases = [
        (r#"{"status":"idle"}"#, "id"),
        (r#"{"id":"s"}"#, "status"),
        (r#"{"id":7,"status":"idle"}"#, "id"),
        (r#"{"id":"s","status":"idle","archived_at":"yesterday"}"#, "archived_at"),
    ];
    for (body, named) in cases {
        let defect = defect_of(Reply::ok(body)).await?;
        assert!(matches!(defect, Defect::Member { member, .. } if member == named), "{body}: {defect}");
    }
    assert_eq!(defect_of(Reply::ok("[]")).await?, Defect::NotAnObject);
    Ok(())
}

#[tokio::test]
async fn a_list_without_data_is_broken() -> Result<()> {
    for body in
        [r"{}", r#"{"data":{}}"#, r#"{"data":[7]}"#, r#"{"data":[],"next_page":7}"#, r#"{"data":[{}]}"#]
    {
        let fake = Fake::start([Reply::ok(body)])?;
        let error = fake.client()?.session_events("s", &EventFilter::default()).await.unwrap_err();
        assert!(matches!(error, Error::Body { .. }), "{body}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_cut_off_on_the_wire_is_asked_for_again() -> Result<()> {
    let cut = Reply::ok(r#"{"id":"#).end(End::CutOff);
    let fake = Fake::start([cut.clone(), Reply::ok(session("s"))])?;
    assert_eq!(fake.client()?.session("s").await?.value.id, "s");

    let fake = Fake::start([cut.clone(), cut.clone(), cut])?;
    let error = fake.client()?.session("s").await.unwrap_err();
    assert!(matches!(error, Error::Body { defect: Defect::Truncated, source: Some(_), .. }), "{error:?}");
    assert_eq!(fake.asked().len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_body_that_stops_coming_is_a_timeout() -> Result<()> {
    let stuck = || Reply::ok(r#"{"id":"#).end(End::Hang);
    let short = Duration::from_millis(100);
    let by_silence: fn(&mut Config, Duration) = |config, short| config.read_timeout = short;
    let by_duration: fn(&mut Config, Duration) = |config, short| config.total_timeout = short;
    for shorten in [by_silence, by_duration] {
        let fake = Fake::start([stuck(), stuck(), stuck()])?;
        let mut config = config(&fake.url);
        shorten(&mut config, short);
        let error = Client::new(config)?.session("s").await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        assert_eq!(error.class(), FailureClass::Transient);
        assert_eq!(fake.asked().len(), 3);
    }
    Ok(())
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_announced_or_not() -> Result<()> {
    let exact = session(&"x".repeat(500));
    for end in [End::Complete, End::Unannounced] {
        let fake = Fake::start([exact.clone(), format!("{exact} ")].map(|body| Reply::ok(body).end(end)))?;
        let client = Client::new(Config { max_body_bytes: exact.len(), ..config(&fake.url) })?;
        client.session("s").await?;
        let error = client.session("s").await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert_eq!(error.class(), FailureClass::Permanent);
        assert_eq!(fake.asked().len(), 2, "a larger answer would come again");
    }
    Ok(())
}
