//! The simulated Claude API of one test.

use super::noon;
use anyhow::{Context, Result, ensure};
use claude::{Auth, Client, Config, Key, Pace, RetryPolicy};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Simulator};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A client of this API that tries each call once.
pub(crate) fn client_of(base_url: String, pace: Option<Arc<dyn Pace>>) -> Result<Client> {
    let auth = Auth::ApiKeyHeader(Key::new("sk-ant-test"));
    let retry = RetryPolicy { retries: 0, ..RetryPolicy::default() };
    Ok(Client::new(Config { base_url, retry, pace, ..Config::new(auth, noon, || 0.5) })?)
}

/// A running simulator and the way to command it. It stops when it is dropped.
pub(crate) struct Platform {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Platform {
    pub(crate) async fn start() -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { simulator: Simulator::start(Options::default()).await?, http })
    }

    /// A client that tries each call once.
    pub(crate) fn client(&self) -> Result<Client> {
        client_of(self.url(), None)
    }

    pub(crate) fn url(&self) -> String {
        self.simulator.base_url()
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/_sim{path}", self.simulator.base_url());
        let answer = self.http.request(method, url).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).context("the simulator answers in JSON")
    }

    /// A session that runs.
    pub(crate) async fn running(&self, session: &str) -> Result<()> {
        self.control(Method::PUT, &format!("/sessions/{session}"), &json!({ "status": "running" })).await?;
        Ok(())
    }

    /// A session that waits for an answer to two tool uses, `{session}_ask_1` and `{session}_ask_2`.
    pub(crate) async fn waiting(&self, session: &str) -> Result<()> {
        let asks = [format!("{session}_ask_1"), format!("{session}_ask_2")];
        let ask =
            |id: &String| json!({ "id": id, "type": "agent.custom_tool_use", "name": "x", "input": {} });
        let idle = json!({
            "id": format!("{session}_idle"),
            "type": "session.status_idle",
            "stop_reason": { "type": "requires_action", "event_ids": asks },
        });
        self.control(Method::PUT, &format!("/sessions/{session}"), &json!({})).await?;
        let mut events: Vec<Value> = asks.iter().map(ask).collect();
        events.push(idle);
        let path = format!("/sessions/{session}/events");
        self.control(Method::POST, &path, &json!({ "events": events })).await?;
        Ok(())
    }

    /// A person answers a tool use elsewhere, or another program does.
    pub(crate) async fn send(&self, session: &str, events: &[Value]) -> Result<()> {
        let events = events.iter().cloned().map(claude::OutgoingEvent::Verbatim).collect::<Vec<_>>();
        self.client()?.send_events(session, &events).await?;
        Ok(())
    }

    /// How many answers each tool use of a session has had, as the platform has them.
    pub(crate) async fn answers(&self, session: &str) -> Result<BTreeMap<String, usize>> {
        let shown = self.control(Method::GET, &format!("/sessions/{session}"), &json!({})).await?;
        let mut answers = BTreeMap::new();
        for event in shown.pointer("/events").and_then(Value::as_array).context("no events")? {
            if event["type"].as_str().is_some_and(|kind| kind.starts_with("user.")) {
                let id = event["custom_tool_use_id"].as_str().or(event["tool_use_id"].as_str());
                *answers.entry(id.unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        Ok(answers)
    }

    /// How many calls of this kind there were, such as `POST /v1/sessions/{session_id}/events`.
    pub(crate) async fn calls(&self, kind: &str) -> Result<u64> {
        let state = self.control(Method::GET, "/state", &json!({})).await?;
        let calls = state.pointer("/calls/by_kind").and_then(|calls| calls.get(kind));
        Ok(calls.and_then(Value::as_u64).unwrap_or_default())
    }

    /// From now on all posts to these sessions (a prefix of their ids) are answered so.
    pub(crate) async fn posts_fail(&self, sessions: &str, mut fault: Value) -> Result<()> {
        fault.as_object_mut().context("a fault is an object")?.insert("method".to_owned(), "POST".into());
        self.fails(sessions, fault).await
    }

    /// A session with these members, replacing one of that id, whose history is these events.
    pub(crate) async fn session(&self, id: &str, members: &Value, events: &[Value]) -> Result<()> {
        self.control(Method::PUT, &format!("/sessions/{id}"), members).await?;
        self.control(Method::POST, &format!("/sessions/{id}/events"), &json!({ "events": events })).await?;
        Ok(())
    }

    /// A session that stopped for this reason so many seconds after noon, after an error.
    pub(crate) async fn stopped(&self, session: &str, reason: &str, seconds: i64) -> Result<()> {
        let at = super::after(seconds);
        self.control(Method::PUT, &format!("/sessions/{session}"), &json!({})).await?;
        let error = json!({ "type": "session.error", "processed_at": at, "error": {
            "type": "unknown_error", "message": "it broke", "retry_status": { "type": "exhausted" },
        }});
        let idle = json!({ "id": format!("{session}_{reason}"), "type": "session.status_idle", "processed_at": at,
            "stop_reason": { "type": reason } });
        self.append(session, &[error, idle]).await
    }

    /// Appends events to a session's list.
    pub(crate) async fn append(&self, session: &str, events: &[Value]) -> Result<()> {
        let path = format!("/sessions/{session}/events");
        for events in events.chunks(500) {
            self.control(Method::POST, &path, &json!({ "events": events })).await?;
        }
        Ok(())
    }

    /// From now on all reads of these sessions (a prefix of their ids) are answered so.
    pub(crate) async fn fails(&self, sessions: &str, fault: Value) -> Result<()> {
        self.fault(&format!("/v1/sessions/{sessions}"), fault).await
    }

    /// From now on every call is answered so.
    pub(crate) async fn fails_altogether(&self, fault: Value) -> Result<()> {
        self.fault("/v1", fault).await
    }

    async fn fault(&self, path: &str, fault: Value) -> Result<()> {
        let mut rule = json!({ "path": path });
        if let (Some(rule), Value::Object(fault)) = (rule.as_object_mut(), fault) {
            rule.extend(fault);
        }
        self.control(Method::POST, "/faults", &rule).await?;
        Ok(())
    }

    pub(crate) async fn heals(&self) -> Result<()> {
        self.control(Method::DELETE, "/faults", &json!({})).await?;
        Ok(())
    }

    /// How often sessions were fetched, all together.
    pub(crate) async fn all_fetches(&self) -> Result<u64> {
        let state = self.control(Method::GET, "/state", &json!({})).await?;
        let fetches = state.pointer("/calls/session_fetches").and_then(Value::as_object);
        Ok(fetches.into_iter().flat_map(|fetches| fetches.values()).filter_map(Value::as_u64).sum())
    }

    /// How often a session was fetched.
    pub(crate) async fn fetches(&self, session: &str) -> Result<u64> {
        let state = self.control(Method::GET, "/state", &json!({})).await?;
        let fetches = state.pointer(&format!("/calls/session_fetches/{session}"));
        Ok(fetches.and_then(Value::as_u64).unwrap_or_default())
    }
}
