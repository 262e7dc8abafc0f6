//! The simulated platform: its sessions, and its faults.

use crate::scenario::ApiTrouble;
use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Simulator};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Sessions that events are about.
const SESSIONS: usize = 60;

/// Of those, how many break. Few enough to be told from an API that is away.
const BROKEN: usize = 4;

/// Of so many sessions, one waits for an answer to a tool use.
const ONE_WAITS_OF: usize = 3;

/// The simulator, and what it knows.
pub(crate) struct Platform {
    simulator: Simulator,
    http: reqwest::Client,
    pub(crate) sessions: Vec<String>,
    /// The tool uses that wait for an answer, by session.
    pub(crate) waiting: BTreeMap<String, BTreeSet<String>>,
}

impl Platform {
    /// Starts it, with its sessions.
    pub(crate) async fn start(api_key: &str) -> Result<Self> {
        let options = Options { api_key: Some(api_key.to_owned()), http_threads: 2, ..Options::default() };
        let simulator = Simulator::start(options).await?;
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build()?;
        let mut platform = Self { simulator, http, sessions: Vec::new(), waiting: BTreeMap::new() };
        for number in 0..SESSIONS {
            let id = format!("sesn_chaos{number:04}");
            platform.control(Method::PUT, &format!("/sessions/{id}"), json!({})).await?;
            if number % ONE_WAITS_OF == 0 {
                let play = json!({ "session": id, "silent": true });
                platform.control(Method::POST, "/scenarios/requires_action", play).await?;
                let truth = platform.control(Method::GET, &format!("/sessions/{id}"), json!({})).await?;
                let ids = truth.get("blocking").and_then(Value::as_array).context("no blocking ids")?;
                let ids = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                platform.waiting.insert(id.clone(), ids);
            }
            platform.sessions.push(id);
        }
        Ok(platform)
    }

    /// Where the simulated API is.
    pub(crate) fn api_url(&self) -> String {
        self.simulator.base_url()
    }

    /// Makes the API fail.
    pub(crate) async fn fail(&self, trouble: ApiTrouble) -> Result<()> {
        let rule = |rest: Value| {
            let mut rule = json!({ "path": "/v1" });
            if let (Some(rule), Value::Object(rest)) = (rule.as_object_mut(), rest) {
                rule.extend(rest);
            }
            rule
        };
        let spoiled = |body: &str| rule(json!({ "body": body, "probability": 0.25 }));
        let rules = match trouble {
            ApiTrouble::Down => vec![rule(json!({ "status": 503 }))],
            ApiTrouble::Slow => vec![rule(json!({ "latency_ms": 3_000 }))],
            ApiTrouble::Throttling => vec![rule(json!({ "status": 429, "retry_after": 2 }))],
            ApiTrouble::Unauthorized => vec![rule(json!({ "status": 401 }))],
            ApiTrouble::Rubbish => ["html", "truncated", "cut", "empty"].map(spoiled).into(),
            ApiTrouble::Flaky => {
                vec![rule(json!({ "status": 500, "should_retry": false, "probability": 0.33 }))]
            }
            ApiTrouble::BrokenSessions => {
                // None of those that wait for an answer.
                let broken = self.sessions.iter().skip(1).step_by(SESSIONS / BROKEN);
                broken
                    .map(|id| {
                        rule(json!({ "path": format!("/v1/sessions/{id}"), "status": 500, "should_retry": false }))
                    })
                    .collect()
            }
        };
        self.control(Method::PUT, "/faults", Value::Array(rules)).await.map(|_| ())
    }

    /// Ends all trouble.
    pub(crate) async fn heal(&self) -> Result<()> {
        self.control(Method::DELETE, "/faults", json!({})).await.map(|_| ())
    }

    async fn control(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}/_sim{path}", self.simulator.base_url());
        let answer = self.http.request(method, url).json(&body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))
    }
}
