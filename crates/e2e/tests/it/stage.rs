//! The simulated platform: what happens on it, and what it sends.

use crate::stack::Stack;
use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Simulator};
use std::time::Duration;
use testkit::eventually;

/// The simulator of one system, and its control calls.
pub(crate) struct Stage {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Stage {
    pub(crate) async fn start(stack: &Stack) -> Result<Self> {
        let simulator = Simulator::start(Options {
            signing_key: Some(stack.secret.clone()),
            api_key: Some(stack.api_key.clone()),
            ..Options::default()
        })
        .await?;
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build()?;
        Ok(Self { simulator, http })
    }

    /// Where the simulated API is.
    pub(crate) fn api_url(&self) -> String {
        self.simulator.base_url()
    }

    /// A control call, which must succeed.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}/_sim{path}", self.simulator.base_url());
        let answer = self.http.request(method, url).json(&body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))
    }

    /// Where webhooks go from now on.
    pub(crate) async fn send_to(&self, url: &str) -> Result<()> {
        self.control(Method::PUT, "/endpoint", json!({ "url": url })).await.map(|_| ())
    }

    /// Plays a scenario, delivers its webhooks and waits for the answers. Answers `id`, `session`, `webhooks`.
    pub(crate) async fn play(&self, scenario: &str, mut how: Value) -> Result<Value> {
        how.as_object_mut().context("options are an object")?.insert("wait".to_owned(), true.into());
        self.control(Method::POST, &format!("/scenarios/{scenario}"), how).await
    }

    /// Puts a session in place, or replaces it.
    pub(crate) async fn put_session(&self, id: &str, members: Value) -> Result<()> {
        self.control(Method::PUT, &format!("/sessions/{id}"), members).await.map(|_| ())
    }

    /// Sends one webhook that the world knows nothing of.
    pub(crate) async fn deliver(&self, webhook: Value) -> Result<Value> {
        self.control(Method::POST, "/deliveries", webhook).await
    }

    /// What the platform knows of a session, without lag and faults.
    pub(crate) async fn truth(&self, session: &str) -> Result<Value> {
        self.control(Method::GET, &format!("/sessions/{session}"), json!({})).await
    }

    /// Makes API calls fail, or slow, by these rules only.
    pub(crate) async fn faults(&self, rules: Value) -> Result<()> {
        self.control(Method::PUT, "/faults", rules).await.map(|_| ())
    }

    /// Begins a batch of webhooks and returns its number.
    pub(crate) async fn begin_batch(&self, order: Value) -> Result<u64> {
        let begun = self.control(Method::POST, "/send", order).await?;
        begun.get("id").and_then(Value::as_u64).context("a batch without a number")
    }

    /// Waits for the end of a batch and returns its figures.
    pub(crate) async fn end_batch(&self, batch: u64) -> Result<Value> {
        eventually(Duration::from_mins(1), "the end of the batch", async || {
            let progress = self.control(Method::GET, &format!("/send/{batch}"), json!({})).await?;
            let done = progress.get("done").and_then(Value::as_bool).unwrap_or_default();
            Ok(done.then_some(progress))
        })
        .await
    }

    /// The ids of all events that were acknowledged.
    pub(crate) async fn acknowledged(&self) -> Result<Vec<String>> {
        let path = "/deliveries?outcome=acknowledged&limit=100000";
        let reports = self.control(Method::GET, path, json!({})).await?;
        let reports = reports.get("data").and_then(Value::as_array).context("no reports")?;
        let ids = reports.iter().filter_map(|report| report.get("event_id")?.as_str());
        Ok(ids.map(str::to_owned).collect())
    }
}

/// A rule that makes all calls about this session fail, at once and without retries in place.
pub(crate) fn failing(session: &str) -> Value {
    json!({ "path": format!("/v1/sessions/{session}"), "status": 500, "should_retry": false })
}

/// A rule that makes all calls take this long.
pub(crate) fn slow(latency_ms: u64) -> Value {
    json!({ "path": "/v1/sessions", "latency_ms": latency_ms })
}
