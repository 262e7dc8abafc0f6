//! What a client needs to know.

use crate::{Key, Observer, Pace, RetryPolicy};
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How the key is presented. The API refuses a request that carries both forms, so there is exactly one.
#[derive(Debug, Clone)]
pub enum Auth {
    /// `x-api-key: KEY`, the form of API version `2023-06-01`.
    ApiKeyHeader(Key),
    /// `Authorization: Bearer KEY`, the form of newer clients and of all OAuth tokens.
    Bearer(Key),
}

impl Auth {
    pub(crate) const fn key(&self) -> &Key {
        match self {
            Self::ApiKeyHeader(key) | Self::Bearer(key) => key,
        }
    }
}

/// The settings of a [`Client`](crate::Client). Start from [`Config::new`] and change what differs.
#[derive(Clone)]
pub struct Config {
    /// Where the API is, without `/v1`. A path prefix is kept; user, query and fragment are refused.
    pub base_url: String,
    /// The key and its form.
    pub auth: Auth,
    /// The value of `anthropic-version`.
    pub version: String,
    /// The value of `anthropic-beta`. Without the right one the thread calls answer 404.
    pub beta: String,
    /// The value of `anthropic-beta` in calls about memory stores, which refuse the other one.
    pub memory_beta: String,
    /// Longest wait for a connection, TLS included.
    pub connect_timeout: Duration,
    /// Longest silence between two pieces of an answer.
    pub read_timeout: Duration,
    /// Longest duration of one attempt, from connecting to the last byte of the answer. Retries start afresh.
    pub total_timeout: Duration,
    /// When and how long to wait before the same call is tried again in place.
    pub retry: RetryPolicy,
    /// Largest accepted answer, in bytes. A list of 1000 events with tool results may have several megabytes.
    pub max_body_bytes: usize,
    /// The wall clock. Only needed to read a `retry-after` that is a date.
    pub now: fn() -> DateTime<Utc>,
    /// The dice: a number in `[0, 1)`, each time another.
    pub jitter: fn() -> f64,
    /// Called once per attempt, for metrics.
    pub observer: Option<Observer>,
    /// Asked before each attempt, and told of each 429. Without it, requests are made as they come.
    pub pace: Option<Arc<dyn Pace>>,
}

impl Config {
    /// The public API with the defaults of the official clients, but for its ten-minute read timeout: a worker that
    /// waits that long for a small JSON object waits for nothing.
    #[must_use]
    pub fn new(auth: Auth, now: fn() -> DateTime<Utc>, jitter: fn() -> f64) -> Self {
        Self {
            base_url: "https://api.anthropic.com".to_owned(),
            auth,
            version: "2023-06-01".to_owned(),
            beta: "managed-agents-2026-04-01".to_owned(),
            memory_beta: "agent-memory-2026-07-22".to_owned(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            max_body_bytes: 32 * 1024 * 1024,
            now,
            jitter,
            observer: None,
            pace: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Functions and the observer have nothing to show. The base URL is left out because it is not yet
        // checked: it may hold a password in its user part.
        f.debug_struct("Config")
            .field("auth", &self.auth)
            .field("version", &self.version)
            .field("beta", &self.beta)
            .field("memory_beta", &self.memory_beta)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("retry", &self.retry)
            .field("max_body_bytes", &self.max_body_bytes)
            .finish_non_exhaustive()
    }
}
