//! Sending events into a session.

use crate::fake::{End, Fake, Reply, config};
use anyhow::Result;
use claude::{Client, Confirmation, Content, Error, OutgoingEvent, Retry};
use domain::FailureClass;
use serde_json::{Value, json};
use std::time::Duration;

const ECHO: &str = r#"{"data":[{"type":"user.message","id":"sevt_1","processed_at":null}]}"#;

fn message() -> OutgoingEvent {
    OutgoingEvent::Message { content: vec![Content::text("go on")] }
}

#[tokio::test]
async fn all_kinds_of_events_have_the_form_of_the_api() -> Result<()> {
    let fake = Fake::start([Reply::ok(ECHO)])?;
    let confirm =
        |confirmation| OutgoingEvent::ToolConfirmation { tool_use_id: "sevt_8".to_owned(), confirmation };
    let events = [
        message(),
        OutgoingEvent::CustomToolResult {
            custom_tool_use_id: "sevt_7".to_owned(),
            content: vec![Content::text("done")],
            is_error: false,
        },
        confirm(Confirmation::Allow),
        confirm(Confirmation::Deny { deny_message: Some("Not on production.".to_owned()) }),
        confirm(Confirmation::Deny { deny_message: None }),
        OutgoingEvent::Interrupt { session_thread_id: None },
        OutgoingEvent::Interrupt { session_thread_id: Some("sthr_1".to_owned()) },
    ];
    let echoes = fake.client()?.send_events("sesn_1", &events).await?;
    assert_eq!(echoes[0].value.id, "sevt_1");

    let asked = &fake.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/v1/sessions/sesn_1/events"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let sent: Value = serde_json::from_str(&asked.body)?;
    let text = |text| json!([{"type": "text", "text": text}]);
    let confirmed = |rest: Value| {
        let mut all = json!({"type": "user.tool_confirmation", "tool_use_id": "sevt_8"});
        if let (Value::Object(all), Value::Object(rest)) = (&mut all, rest) {
            all.extend(rest);
        }
        all
    };
    assert_eq!(
        sent,
        json!({"events": [
            {"type": "user.message", "content": text("go on")},
            {
                "type": "user.custom_tool_result", "custom_tool_use_id": "sevt_7",
                "content": text("done"), "is_error": false
            },
            confirmed(json!({"result": "allow"})),
            confirmed(json!({"result": "deny", "deny_message": "Not on production."})),
            confirmed(json!({"result": "deny"})),
            {"type": "user.interrupt"},
            {"type": "user.interrupt", "session_thread_id": "sthr_1"},
        ]})
    );
    Ok(())
}

#[tokio::test]
async fn a_post_that_may_have_been_done_is_not_repeated() -> Result<()> {
    let ambiguous = [
        Reply::error(500, "api_error"),
        Reply::error(529, "overloaded_error"),
        Reply::error(408, "timeout_error"),
        Reply::ok("{").end(End::CutOff),
        Reply::ok("{").end(End::Hang),
    ];
    for reply in ambiguous {
        let fake = Fake::start([reply, Reply::ok(ECHO)])?;
        let config = claude::Config { total_timeout: Duration::from_millis(300), ..config(&fake.url) };
        // Not even when everything is allowed.
        let client = Client::new(config)?.retrying_at_most(Retry::Sdk);
        let error = client.send_events("s", &[message()]).await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error}");
        assert_eq!(fake.asked().len(), 1, "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_post_that_was_turned_away_is_repeated() -> Result<()> {
    for status in [409, 429] {
        let fake = Fake::start([Reply::error(status, "some_error"), Reply::ok(ECHO)])?;
        fake.client()?.send_events("s", &[message()]).await?;
        let asked = fake.asked();
        assert_eq!(asked.len(), 2, "{status}");
        assert_eq!(asked[0].body, asked[1].body);
    }
    Ok(())
}

#[tokio::test]
async fn a_second_reply_is_told_apart_from_an_unknown_outcome() -> Result<()> {
    let fake = Fake::start([Reply::error(400, "invalid_request_error")])?;
    let error = fake.client()?.send_events("s", &[message()]).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Permanent);
    assert!(!error.may_have_been_applied());
    Ok(())
}

#[tokio::test]
async fn no_events_and_too_many_events_are_not_sent() -> Result<()> {
    let fake = Fake::start([Reply::ok(ECHO)])?;
    let client = fake.client()?;
    for count in [0, 51] {
        let error = client.send_events("s", &vec![message(); count]).await.unwrap_err();
        assert!(matches!(error, Error::EventCount { count: counted } if counted == count), "{error}");
        assert_eq!(error.class(), FailureClass::Bug);
    }
    client.send_events("s", &vec![message(); 50]).await?;
    assert_eq!(fake.asked().len(), 1);
    Ok(())
}
