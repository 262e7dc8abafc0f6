//! Single objects: what is asked, and what is understood of the answer.

use crate::fake::{Fake, Reply, session};
use anyhow::Result;
use claude::Status;

const FULL: &str = r#"{
  "type": "session", "id": "sesn_1", "status": "idle", "title": "Refund",
  "agent": { "type": "agent", "id": "agent_1", "version": 4, "name": "Support desk", "tools": [] },
  "environment_id": "env_1", "deployment_id": null, "a_member_of_tomorrow": {"x": 1.50},
  "created_at": "2026-08-21T09:12:20Z", "updated_at": "2026-08-21T11:14:03.250+02:00", "archived_at": null
}"#;

#[tokio::test]
async fn a_session_is_understood_and_kept_verbatim() -> Result<()> {
    let fake = Fake::start([Reply::ok(FULL).header("request-id", "req_1")])?;
    let fetched = fake.client()?.session("sesn_1").await?;
    assert_eq!(fetched.raw.get(), FULL);
    assert_eq!(fetched.request_id.as_deref(), Some("req_1"));
    let session = fetched.value;
    assert_eq!((session.id.as_str(), session.status), ("sesn_1", Status::Idle));
    assert_eq!(session.title.as_deref(), Some("Refund"));
    assert_eq!(session.agent.id.as_deref(), Some("agent_1"));
    assert_eq!(session.agent.name.as_deref(), Some("Support desk"));
    assert_eq!(session.agent.version, Some(4));
    assert_eq!(session.environment_id.as_deref(), Some("env_1"));
    assert_eq!(session.deployment_id, None);
    assert_eq!(session.updated_at.map(|time| time.timestamp_millis()), Some(1_787_303_643_250));
    assert_eq!(session.archived_at, None);
    assert_eq!(fake.asked()[0].method, "GET");
    Ok(())
}

#[tokio::test]
async fn a_session_of_two_members_with_a_new_status_is_understood() -> Result<()> {
    let fake = Fake::start([Reply::ok(r#"{"id":"s","status":"hibernating","agent":7,"title":{}}"#)])?;
    let session = fake.client()?.session("s").await?.value;
    assert_eq!(session.status, Status::Other("hibernating".to_owned()));
    assert_eq!(session.title, None);
    assert_eq!(session.agent, claude::AgentRef::default());
    Ok(())
}

#[tokio::test]
async fn a_thread_is_understood() -> Result<()> {
    let thread = r#"{"type":"session_thread","id":"sthr_1","session_id":"sesn_1","parent_thread_id":"sthr_0",
        "status":"running","agent":{"type":"advisor","model":{}},"created_at":"2026-08-21T09:13:20Z"}"#;
    let fake = Fake::start([Reply::ok(thread)])?;
    let thread = fake.client()?.thread("sesn_1", "sthr_1").await?.value;
    assert_eq!((thread.id.as_str(), thread.status), ("sthr_1", Status::Running));
    assert_eq!(thread.session_id.as_deref(), Some("sesn_1"));
    assert_eq!(thread.parent_thread_id.as_deref(), Some("sthr_0"));
    assert_eq!(thread.agent.id, None);
    assert_eq!(fake.targets(), ["/v1/sessions/sesn_1/threads/sthr_1"]);
    Ok(())
}

#[tokio::test]
async fn archive_and_delete_do_not_read_their_answers() -> Result<()> {
    let fake = Fake::start([Reply::ok(session("s")), Reply::ok("deleted"), Reply::new(204, "")])?;
    let client = fake.client()?;
    client.archive_session("s").await?;
    client.delete_session("s").await?;
    client.delete_session("s").await?;
    let asked: Vec<_> = fake.asked().into_iter().map(|asked| (asked.method, asked.target)).collect();
    let expected =
        [("POST", "/v1/sessions/s/archive"), ("DELETE", "/v1/sessions/s"), ("DELETE", "/v1/sessions/s")];
    assert_eq!(asked, expected.map(|(method, target)| (method.to_owned(), target.to_owned())));
    Ok(())
}

#[tokio::test]
async fn a_call_may_move_between_threads() -> Result<()> {
    fn on_any_thread<T: Send>(future: T) -> T {
        future
    }
    let fake = Fake::start([Reply::ok(session("s")), Reply::ok(r#"{"data":[]}"#)])?;
    let client = fake.client()?;
    on_any_thread(client.session("s")).await?;
    on_any_thread(client.all_sessions(&claude::SessionFilter::default(), 1)).await?;
    Ok(())
}
