//! The client.

use crate::{Error, MAX_ANSWER_BYTES};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, redirect};
use signing::{Secret, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use std::time::Duration;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The longest rest that an endpoint can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Bytes of a refusal that are read, and characters of it that are kept.
const REFUSAL_BYTES: usize = 4 * 1024;
const REFUSAL_CHARACTERS: usize = 300;

/// Makes calls. Clones are cheap and share their connections.
#[derive(Debug, Clone)]
pub struct Caller {
    http: Client,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a str,
    /// Signs it, by the Standard Webhooks scheme.
    pub secret: &'a Secret,
    /// `webhook-id`: the same on every attempt at the same thing, so that the endpoint can tell a repetition.
    pub id: &'a str,
    /// `webhook-timestamp`: now, in Unix seconds.
    pub timestamp_unix_seconds: i64,
    /// JSON.
    pub body: &'a [u8],
    /// For everything, answer included.
    pub timeout: Duration,
}

impl Caller {
    /// A caller; no connection is made yet. Proxies are taken from the usual variables (`HTTPS_PROXY`, `NO_PROXY`).
    ///
    /// # Errors
    /// [`Error::Build`], when the HTTP library cannot set itself up.
    pub fn new() -> Result<Self, Error> {
        let http = Client::builder()
            .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
            // The signature is for the endpoint that was configured, not for where it points.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .build()
            .map_err(|source| Error::Build { source })?;
        Ok(Self { http })
    }

    /// Makes one call, once. Returns the body of a 2xx answer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn post(&self, request: &Request<'_>) -> Result<Vec<u8>, Error> {
        let Request { url, secret, id, timestamp_unix_seconds, body, timeout } = *request;
        let signature = signing::sign(secret, id, timestamp_unix_seconds, body);
        let request = self
            .request(url, body, timeout)
            .header(WEBHOOK_ID, id)
            .header(WEBHOOK_TIMESTAMP, timestamp_unix_seconds)
            .header(WEBHOOK_SIGNATURE, signature);
        answer(request, timeout).await
    }

    /// Makes one call without a signature, to an endpoint whose URL is the secret. Returns the body of a 2xx answer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn post_unsigned(&self, url: &str, body: &[u8], timeout: Duration) -> Result<Vec<u8>, Error> {
        answer(self.request(url, body, timeout), timeout).await
    }

    fn request(&self, url: &str, body: &[u8], timeout: Duration) -> RequestBuilder {
        let request = self.http.post(url).timeout(timeout);
        request.header(CONTENT_TYPE, "application/json").body(body.to_vec())
    }
}

/// Sends a request and reads the answer.
async fn answer(request: RequestBuilder, timeout: Duration) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::transport(source, timeout);
    let mut response = request.send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let mut answer = Vec::new();
    while let Some(part) = response.chunk().await.map_err(failed)? {
        if answer.len() + part.len() > MAX_ANSWER_BYTES {
            return Err(Error::TooLarge);
        }
        answer.extend_from_slice(&part);
    }
    Ok(answer)
}

async fn refusal(mut response: Response) -> Error {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while body.len() < REFUSAL_BYTES
        && let Ok(Some(part)) = response.chunk().await
    {
        body.extend_from_slice(&part);
    }
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    let text: String =
        String::from_utf8_lossy(&body).trim().chars().map(one_line).take(REFUSAL_CHARACTERS).collect();
    Error::Refused {
        status: response.status().as_u16(),
        retry_after: seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER)),
        text: (!text.is_empty()).then_some(text),
    }
}
