//! Carrying events to the endpoint: at most three attempts each, re-signed every time.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use signing::Secret;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{millis, now},
    error::{Error, chain},
    lock::lock,
    webhook::{
        DeliveryOptions, Dialect, Endpoint, Envelope, Outcome, Report,
        backoff::{MAX_ATTEMPTS, wait},
        journal,
        signature::Signing,
    },
};

/// How long a receiver may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// 32 bytes that no receiver has been given.
const WRONG_SECRET: &str = "whsec_bm90IHRoZSBzZWNyZXQgb2YgYW55IHJlY2VpdmVyISE=";

/// What a redirect does, in the platform's words.
const REDIRECTED: &str = "auto-disabled: endpoint URL returned a redirect (3xx)";

/// What failing for too long does, in the platform's words.
const FAILING: &str = "auto-disabled after sustained delivery failures";

/// One event, written down and addressed.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) event_id: String,
    pub(crate) kind: String,
    pub(crate) session: Option<String>,
    /// What it is about: `data.id`.
    pub(crate) resource: Option<String>,
    pub(crate) body: Bytes,
    /// Without them, the endpoint's own options count.
    pub(crate) options: Option<DeliveryOptions>,
    /// Another receiver than the simulator's endpoint.
    pub(crate) endpoint: Option<Endpoint>,
}

impl Parcel {
    /// An event written down in a dialect, for the endpoint with its own options.
    pub(crate) fn of(envelope: &Envelope, dialect: Dialect) -> Self {
        Self {
            event_id: envelope.event_id.clone(),
            kind: envelope.kind.clone(),
            session: envelope.session(),
            resource: envelope.resource(),
            body: envelope.body(dialect),
            options: None,
            endpoint: None,
        }
    }
}

/// The sender of all webhooks.
pub(crate) struct Courier {
    http: reqwest::Client,
    pub(crate) endpoint: Mutex<Endpoint>,
    pub(crate) journal: Mutex<journal::Journal>,
    wrong_secret: Secret,
    jitter: Mutex<StdRng>,
    seed: u64,
    time_scale: f64,
    stop: CancellationToken,
}

impl Courier {
    pub(crate) fn new(
        endpoint: Endpoint,
        seed: u64,
        time_scale: f64,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|source| Error::Sender { source })?;
        let wrong_secret = Secret::parse(WRONG_SECRET).map_err(|source| Error::SigningKey { source })?;
        let jitter = Mutex::new(StdRng::seed_from_u64(seed));
        let (endpoint, journal) = (Mutex::new(endpoint), Mutex::default());
        Ok(Self { http, endpoint, journal, wrong_secret, jitter, seed, time_scale, stop })
    }

    /// Delivers one event with all its copies and attempts, and keeps the report.
    pub(crate) async fn deliver(&self, parcel: &Parcel) -> Report {
        let endpoint = parcel.endpoint.clone().unwrap_or_else(|| lock(&self.endpoint).clone());
        let options = parcel.options.clone().unwrap_or_else(|| endpoint.options.clone());
        let mut attempts = Vec::new();
        let outcome = self.carry(parcel, &endpoint, &options, &mut attempts).await;
        let report = Report {
            event_id: parcel.event_id.clone(),
            kind: parcel.kind.clone(),
            session: parcel.session.clone(),
            resource: parcel.resource.clone(),
            outcome,
            attempts,
        };
        tracing::debug!(event.id = report.event_id, event.type = report.kind, outcome = ?report.outcome, "delivery ended");
        lock(&self.journal).add(report.clone());
        report
    }

    async fn carry(
        &self,
        parcel: &Parcel,
        endpoint: &Endpoint,
        options: &DeliveryOptions,
        attempts: &mut Vec<journal::Attempt>,
    ) -> Outcome {
        let wanted = endpoint.types.is_empty() || endpoint.types.contains(&parcel.kind);
        let Some(url) = endpoint.url.as_deref().filter(|_| wanted) else { return Outcome::Unsubscribed };
        let own = if parcel.endpoint.is_none() { endpoint.options.drop } else { 0.0 };
        if options.dropped || self.loses(&parcel.event_id, options.drop.max(own)) {
            return Outcome::Dropped;
        }
        if endpoint.disabled_reason.is_some() {
            return Outcome::Disabled;
        }
        let mut outcome = Outcome::Acknowledged;
        self.pause(Duration::from_millis(options.delay_ms)).await;
        for copy in 0..=options.duplicates {
            for number in 1..=options.attempts.clamp(1, MAX_ATTEMPTS) {
                if number > 1 {
                    let jitter = lock(&self.jitter).random();
                    self.pause(wait(number, jitter, self.time_scale)).await;
                }
                if self.stop.is_cancelled() {
                    return Outcome::Failed;
                }
                let attempt = self.attempt(parcel, endpoint, options, url, (copy, number)).await;
                let acknowledged = attempt.is_acknowledged();
                let redirected = attempt.status.is_some_and(|status| (300..400).contains(&status));
                attempts.push(attempt);
                if redirected {
                    self.disable(parcel, REDIRECTED);
                    return Outcome::Failed;
                }
                if parcel.endpoint.is_none() && lock(&self.endpoint).note(acknowledged, Instant::now()) {
                    self.disable(parcel, FAILING);
                    return Outcome::Failed;
                }
                if acknowledged {
                    break;
                }
            }
            if !attempts.last().is_some_and(journal::Attempt::is_acknowledged) {
                outcome = Outcome::Failed;
            }
        }
        outcome
    }

    /// Whether an event is among the share that gets lost. It follows from the seed and the id alone, so that neither the
    /// order of deliveries nor their number changes which ones are.
    fn loses(&self, event_id: &str, share: f64) -> bool {
        if share <= 0.0 {
            return false;
        }
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = event_id.bytes().fold(0xcbf2_9ce4_8422_2325 ^ self.seed, fnv);
        StdRng::seed_from_u64(hash).random::<f64>() < share
    }

    async fn attempt(
        &self,
        parcel: &Parcel,
        endpoint: &Endpoint,
        options: &DeliveryOptions,
        url: &str,
        (copy, number): (u32, u32),
    ) -> journal::Attempt {
        let at = now();
        let signing = Signing {
            secret: endpoint.secret.as_ref(),
            wrong_secret: &self.wrong_secret,
            event_id: &parcel.event_id,
            timestamp: at.timestamp() - options.stale_seconds,
            body: &parcel.body,
        };
        let mut request = self.http.post(url).header("content-type", "application/json");
        for (name, value) in signing.headers(options.signature) {
            request = request.header(name, value);
        }
        let mut record =
            journal::Attempt { copy, number, at: millis(at), status: None, skipped: false, error: None };
        match request.body(parcel.body.clone()).send().await {
            Ok(answer) => {
                record.status = Some(answer.status().as_u16());
                // The platform ignores the body; the simulator looks whether the receiver knew the event.
                let body = answer.json::<serde_json::Value>().await.unwrap_or_default();
                record.skipped = body.get("status").is_some_and(|status| status == "skipped");
            }
            Err(error) => record.error = Some(chain(&error.without_url())),
        }
        record
    }

    /// A redirect disables the endpoint at once, failures do after a while; an address given with the parcel has no such state.
    fn disable(&self, parcel: &Parcel, reason: &str) {
        if parcel.endpoint.is_none() {
            lock(&self.endpoint).disabled_reason = Some(reason.into());
            tracing::warn!(reason, "endpoint disabled");
        }
    }

    async fn pause(&self, wait: Duration) {
        if !wait.is_zero() {
            self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        }
    }
}
