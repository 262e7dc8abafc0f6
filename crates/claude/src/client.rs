//! The client: one HTTP connection pool, the attempts of a call, and the pages of a list.

use crate::body::{self, Unread};
use crate::call::{Answer, Beta, Call};
use crate::fetched::FromObject;
use crate::object::Object;
use crate::refusal::{Refusal, shorten};
use crate::retry::{Failure, Hints};
use crate::{
    Attempt, AttemptOutcome, Auth, Config, Defect, Error, Key, Observer, Pace, Page, Retry, RetryPolicy, path,
};
use chrono::{DateTime, Utc};
use domain::FailureClass;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, Url, redirect};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Says which unpublished parts of the API are meant.
const BETA: &str = "anthropic-beta";

/// Most bytes of a refusal that are read.
const REFUSAL_BYTES: usize = 64 * 1024;

/// A client of the Claude API. Clones are cheap and share their connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// No call is repeated more freely than this.
    most_retry: Retry,
}

struct Inner {
    http: reqwest::Client,
    base: Url,
    memory_beta: HeaderValue,
    key: Key,
    policy: RetryPolicy,
    max_body_bytes: usize,
    now: fn() -> DateTime<Utc>,
    jitter: fn() -> f64,
    observer: Option<Observer>,
    pace: Option<Arc<dyn Pace>>,
}

impl Client {
    /// Builds a client; no connection is made yet.
    ///
    /// Redirects are not followed: the key would go to whatever host the redirect names, and the platform answers
    /// none. Proxies are taken from the usual variables (`HTTPS_PROXY`, `NO_PROXY`), as people expect of HTTP clients.
    ///
    /// # Errors
    /// [`Error::BaseUrl`], [`Error::EmptyKey`], [`Error::Header`] or [`Error::Build`], all of which a person must mend.
    pub fn new(config: Config) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers(&config)?)
            .redirect(redirect::Policy::none())
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .timeout(config.total_timeout)
            .build()
            .map_err(|source| Error::Build { source })?;
        let inner = Inner {
            http,
            base: path::parse_base(&config.base_url)?,
            memory_beta: header(BETA, &config.memory_beta)?,
            key: config.auth.key().clone(),
            policy: config.retry,
            max_body_bytes: config.max_body_bytes,
            now: config.now,
            jitter: config.jitter,
            observer: config.observer,
            pace: config.pace,
        };
        Ok(Self { inner: Arc::new(inner), most_retry: Retry::Sdk })
    }

    /// The same client, but none of its calls is repeated more freely than `retry`. It can only make calls more
    /// careful: [`Client::send_events`] stays [`Retry::Unambiguous`] even under [`Retry::Sdk`].
    #[must_use]
    pub fn retrying_at_most(&self, retry: Retry) -> Self {
        Self { inner: Arc::clone(&self.inner), most_retry: retry.min(self.most_retry) }
    }

    /// Makes a call, and makes it again while the policy says so.
    #[tracing::instrument(name = "claude.request", skip_all, fields(claude.operation = call.operation))]
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut url = path::join(&self.inner.base, call.path)?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let retry = call.retry.min(self.most_retry);
        let mut number = 0;
        loop {
            if let Some(pace) = &self.inner.pace {
                pace.before(call.class()).await;
            }
            let error = match self.inner.attempt(call, &url, number).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let (Some(pace), FailureClass::Throttled) = (&self.inner.pace, error.class()) {
                pace.throttled(error.retry_after()).await;
            }
            let jitter = (self.inner.jitter)();
            let Some(wait) = self.inner.policy.next_wait(retry, number, Failure::of(&error), jitter) else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
            number += 1;
        }
    }

    /// Joins the pages of a list: at least one, at most `max_pages`.
    pub(crate) async fn list_all<T: FromObject>(
        &self,
        call: Call<'_>,
        max_pages: u32,
    ) -> Result<Page<T>, Error> {
        self.list_all_as(call, max_pages, T::from_object).await
    }

    /// The same for objects that say too little of what they are.
    pub(crate) async fn list_all_as<T>(
        &self,
        mut call: Call<'_>,
        max_pages: u32,
        read: impl Fn(Object) -> Result<T, Defect>,
    ) -> Result<Page<T>, Error> {
        let mut all = Page { items: Vec::new(), next_page: cursor(&call) };
        // No page at all could not be told from an empty list.
        for _ in 0..max_pages.max(1) {
            let answer = self.send(&call).await?;
            let request_id = answer.request_id.clone();
            let page = answer.page_as(&read)?;
            all.items.extend(page.items);
            let asked = std::mem::replace(&mut all.next_page, page.next_page);
            let Some(next) = all.next_page.clone() else { break };
            if asked.as_ref() == Some(&next) {
                let defect = Defect::RepeatedCursor;
                return Err(Error::Body { operation: call.operation, defect, request_id, source: None });
            }
            call.query.retain(|(name, _)| *name != "page");
            call.query.push(("page", next));
        }
        Ok(all)
    }
}

fn cursor(call: &Call<'_>) -> Option<String> {
    call.query.iter().find(|(name, _)| *name == "page").map(|(_, cursor)| cursor.clone())
}

impl Inner {
    /// One request, reported to the log and to the observer.
    async fn attempt(&self, call: &Call<'_>, url: &Url, number: u32) -> Result<Answer, Error> {
        let started = Instant::now();
        let result = self.exchange(call, url).await;
        let elapsed = started.elapsed();
        let (outcome, request_id) = match &result {
            Ok(answer) => (AttemptOutcome::Status(answer.status), answer.request_id.as_deref()),
            Err(error) => (AttemptOutcome::of_error(error), error.request_id()),
        };
        tracing::debug!(
            request.id = request_id,
            http.status = %outcome.label(),
            url.path = url.path(),
            elapsed_ms = elapsed.as_millis(),
            claude.attempt = number,
            "attempt of a call to the Claude API"
        );
        if let Some(observer) = &self.observer {
            observer(&Attempt { operation: call.operation, number, outcome, elapsed });
        }
        result
    }

    async fn exchange(&self, call: &Call<'_>, url: &Url) -> Result<Answer, Error> {
        let operation = call.operation;
        let mut request = self.http.request(call.method.clone(), url.clone());
        // A header of the request's own replaces the one that all requests have.
        if call.beta == Beta::Memory {
            request = request.header(BETA, self.memory_beta.clone());
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|source| Error::transport(operation, source))?;
        let request_id = self.header(&response, &HeaderName::from_static("request-id"));
        if !response.status().is_success() {
            return Err(Error::Refused(Box::new(self.refusal(operation, request_id, &mut response).await)));
        }
        let content_type = self.header(&response, &CONTENT_TYPE);
        let status = response.status().as_u16();
        match body::whole(&mut response, self.max_body_bytes).await {
            Ok(body) => Ok(Answer { operation, status, content_type, request_id, body }),
            Err(Unread::TooLarge) => {
                Err(Error::TooLarge { operation, limit_bytes: self.max_body_bytes, request_id })
            }
            Err(Unread::Broken(source)) if source.is_timeout() => Err(Error::transport(operation, source)),
            Err(Unread::Broken(source)) => {
                let source = Some(source.without_url());
                Err(Error::Body { operation, defect: Defect::Truncated, request_id, source })
            }
        }
    }

    async fn refusal(
        &self,
        operation: &'static str,
        request_id: Option<String>,
        response: &mut Response,
    ) -> Refusal {
        let status = response.status().as_u16();
        let hints = Hints::read(response.headers(), (self.now)());
        let body = body::beginning(response, REFUSAL_BYTES).await;
        Refusal::read(operation, status, request_id, hints, &body, &self.key)
    }

    fn header(&self, response: &Response, name: &HeaderName) -> Option<String> {
        let text = response.headers().get(name)?.to_str().ok()?;
        Some(shorten(&self.key.scrub(text)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base.as_str())
            .field("most_retry", &self.most_retry)
            .finish_non_exhaustive()
    }
}

fn header(name: &'static str, text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|source| Error::Header { name, source })
}

/// The headers of every request.
fn headers(config: &Config) -> Result<HeaderMap, Error> {
    if config.auth.key().expose().is_empty() {
        return Err(Error::EmptyKey);
    }
    let (name, mut secret) = match &config.auth {
        Auth::ApiKeyHeader(key) => (HeaderName::from_static("x-api-key"), header("x-api-key", key.expose())?),
        Auth::Bearer(key) => (AUTHORIZATION, header("authorization", &format!("Bearer {}", key.expose()))?),
    };
    // Debug output of the HTTP library then says "Sensitive".
    secret.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(name, secret);
    headers.insert("anthropic-version", header("anthropic-version", &config.version)?);
    headers.insert(BETA, header(BETA, &config.beta)?);
    Ok(headers)
}
