//! A simulator with a client that sends the right headers.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use simulator::{Options, Simulator};
use tokio::time::Instant;

use crate::receiver::Receiver;

pub(crate) const BETA: &str = "managed-agents-2026-04-01";
pub(crate) const SIGNING_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A simulator under test.
pub(crate) struct Lab {
    pub(crate) simulator: Simulator,
    pub(crate) http: Client,
}

impl Lab {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let http = Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        Self { simulator: Simulator::start(options).await.unwrap(), http }
    }

    /// A simulator whose webhooks arrive at the receiver.
    pub(crate) async fn sending_to(receiver: &Receiver) -> Self {
        let (webhook_url, signing_key) = (Some(receiver.url()), Some(SIGNING_KEY.to_owned()));
        Self::with(Options { webhook_url, signing_key, ..Options::default() }).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url())
    }

    /// An API request with all headers.
    pub(crate) fn api(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.url(path));
        request
            .header("x-api-key", "k")
            .header("anthropic-version", "2023-06-01")
            .header("anthropic-beta", BETA)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.api(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.api(Method::POST, path).json(&body)).await
    }

    /// A control call, which must succeed.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, value) =
            answer(self.http.request(method, self.url(&format!("/_sim{path}"))).json(&body)).await;
        assert!(status.is_success(), "{path}: {status} {value}");
        value
    }

    pub(crate) async fn state(&self) -> Value {
        self.control(Method::GET, "/state", json!({})).await
    }

    /// Plays a scenario and waits for its webhooks; answers session id and the whole answer.
    pub(crate) async fn play(&self, scenario: &str, mut body: Value) -> (String, Value) {
        body["wait"] = true.into();
        let played = self.control(Method::POST, &format!("/scenarios/{scenario}"), body).await;
        (played["id"].as_str().unwrap().to_owned(), played)
    }

    /// The types of a session's events, in list order.
    pub(crate) async fn stream(&self, session: &str) -> Vec<String> {
        let (_, list) = self.get(&format!("/v1/sessions/{session}/events")).await;
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// Polls until the condition holds; panics with the last value after a minute, which a busy machine may need.
pub(crate) async fn until<T: std::fmt::Debug>(
    mut probe: impl AsyncFnMut() -> T,
    holds: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let value = probe().await;
        if holds(&value) {
            return value;
        }
        assert!(Instant::now() < deadline, "still {value:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
