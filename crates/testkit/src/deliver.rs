//! A webhook sender: signs a body and posts it.

use crate::clock;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use signing::Secret;
use std::time::Duration;

/// A new signing secret, as the platform forms them.
#[must_use]
pub fn random_secret() -> String {
    format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// Posts signed webhooks to one endpoint. Leaves nothing behind.
#[derive(Debug)]
pub struct Deliverer {
    client: reqwest::Client,
    url: String,
    secret: Secret,
}

/// What the endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When the body is no JSON; shows it.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("not JSON: {:?}", self.body))
    }
}

impl Deliverer {
    /// A sender to `url` that signs with `secret`.
    ///
    /// # Errors
    /// When the secret cannot be used for signing.
    pub fn new(url: impl Into<String>, secret: &str) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            // The platform does not follow redirects, it disables the endpoint.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("cannot build an HTTP client")?;
        let secret = Secret::parse(secret).context("cannot use the signing secret")?;
        Ok(Self { client, url: url.into(), secret })
    }

    /// Signs `body` as of now and posts it under `webhook_id`.
    ///
    /// # Errors
    /// When there is no answer. A refusal is an [`Answer`].
    pub async fn deliver(&self, webhook_id: &str, body: &Value) -> Result<Answer> {
        self.deliver_signed_at(webhook_id, body.to_string(), clock::unix_seconds()).await
    }

    /// Signs these bytes as of `timestamp` (seconds since 1970) and posts them under `webhook_id`.
    ///
    /// # Errors
    /// When there is no answer. A refusal is an [`Answer`].
    pub async fn deliver_signed_at(
        &self,
        webhook_id: &str,
        body: impl Into<Bytes>,
        timestamp: i64,
    ) -> Result<Answer> {
        let body = body.into();
        let signature = signing::sign(&self.secret, webhook_id, timestamp, &body);
        let headers = [
            ("webhook-id", webhook_id),
            ("webhook-timestamp", &timestamp.to_string()),
            ("webhook-signature", &signature),
        ];
        self.post(&headers, body).await
    }

    /// Posts bytes with exactly these headers beside the content type, for deliveries that must be refused.
    ///
    /// # Errors
    /// When there is no answer. A refusal is an [`Answer`].
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Answer> {
        let mut request = self.client.post(&self.url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer =
            request.body(body.into()).send().await.with_context(|| format!("no answer from {}", self.url))?;
        let status = answer.status().as_u16();
        let body = answer.text().await.context("the answer broke off")?;
        Ok(Answer { status, body })
    }
}
