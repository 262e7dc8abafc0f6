//! One delivery, from raw bytes to a durable event.

mod pulse;
mod quarantine;

pub use pulse::PulseWriter;
pub use quarantine::Quarantine;

use crate::Metrics;
use crate::accept::{Acceptance, Acceptor, NotAccepted};
use bytes::Bytes;
use domain::envelope::{InvalidEnvelope, parse, time_of_thin};
use domain::{Clock, Dialect, EndpointName};
use pulse::Pulse;
use quarantine::Hatch;
use signing::{Freshness, Headers, Rejection, Schemes, Secret, check_freshness};
use std::sync::Arc;
use store::{NewEvent, Quarantined, Source, Store};
use telemetry::TraceContext;

/// One request, as the HTTP layer read it.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// The endpoint that its path names.
    pub endpoint: EndpointName,
    /// Its signature headers.
    pub headers: Headers<'a>,
    /// Its content type.
    pub content_type: Option<&'a str>,
    /// Its body, untouched.
    pub body: Bytes,
    /// The trace that this request began or continued.
    pub traceparent: Option<String>,
}

/// The delivery was not accepted. The `Display` text is what the sender is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not known to come from the sender. Nothing of it is kept.
    #[error("{}", advice(.0))]
    Signature(Rejection),
    /// It comes from the sender, but is no event. Kept in quarantine, afterwards.
    #[error("{0}")]
    NotAnEvent(#[from] InvalidEnvelope),
    /// It could not be made durable.
    #[error("{0}")]
    NotAccepted(#[from] NotAccepted),
}

fn advice(rejection: &Rejection) -> &'static str {
    match rejection.reason {
        signing::Reason::MissingHeader => {
            "a signature header is missing: webhook-id, webhook-timestamp and webhook-signature are needed"
        }
        signing::Reason::BadTimestamp => "the timestamp is not a whole number of Unix seconds",
        signing::Reason::TooOld => "the delivery is older than the replay window allows",
        signing::Reason::TooNew => "the delivery is from the future; one of the two clocks is wrong",
        signing::Reason::NoMatch => "no signature matches a secret of this endpoint",
    }
}

impl Refusal {
    /// A stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signature(rejection) => rejection.reason.as_str(),
            Self::NotAnEvent(_) => "invalid_event",
            Self::NotAccepted(NotAccepted::Overloaded) => "overloaded",
            Self::NotAccepted(NotAccepted::Unavailable) => "unavailable",
        }
    }
}

/// How deliveries are verified.
#[derive(Debug, Clone)]
pub struct Verification {
    /// All live secrets.
    pub secrets: Vec<Secret>,
    /// Which headers count.
    pub schemes: Schemes,
    /// Width of the replay window in each direction, in seconds.
    pub tolerance_seconds: u32,
}

/// Receives deliveries.
#[derive(Clone)]
pub struct Receiver {
    verification: Arc<Verification>,
    acceptor: Acceptor,
    hatch: Hatch,
    pulse: Pulse,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Receiver {
    /// A receiver that hands events to `acceptor`, and the duty that keeps what is none.
    #[must_use]
    pub fn new(
        verification: Verification,
        acceptor: Acceptor,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> (Self, Quarantine) {
        let (hatch, quarantine) = Quarantine::new(store);
        let pulse = Pulse::default();
        (Self { verification: Arc::new(verification), acceptor, hatch, pulse, clock, metrics }, quarantine)
    }

    /// The duty that writes down how endpoints fare, under the name of this process.
    #[must_use]
    pub fn pulse_writer(&self, store: Store, process: String) -> PulseWriter {
        PulseWriter::new(self.pulse.clone(), store, Arc::clone(&self.clock), process)
    }

    /// Notes that a delivery was refused before it could be read, with this reason.
    pub fn note_unread(&self, endpoint: &EndpointName, reason: &'static str) {
        self.pulse.failure(endpoint.as_str(), reason, self.clock.now());
    }

    /// Verifies, parses and accepts a delivery. When this returns `Ok`, the event is durable.
    ///
    /// # Errors
    /// When the delivery is not authentic, is no event, or could not be made durable.
    pub async fn receive(&self, delivery: Delivery<'_>) -> Result<Acceptance, Refusal> {
        let endpoint = delivery.endpoint.clone();
        let outcome = self.try_receive(delivery).await;
        match &outcome {
            Ok(_) => self.pulse.success(endpoint.as_str(), self.clock.now()),
            // Whoever does not sign at all is not the sender, and its patience is not at stake.
            Err(Refusal::Signature(rejection)) if rejection.reason == signing::Reason::MissingHeader => {}
            Err(refusal) => self.pulse.failure(endpoint.as_str(), refusal.code(), self.clock.now()),
        }
        self.metrics.count_delivery(match &outcome {
            Ok(Acceptance::New) => "accepted",
            Ok(Acceptance::Duplicate) => "duplicate",
            Err(refusal) => refusal.code(),
        });
        outcome
    }

    async fn try_receive(&self, delivery: Delivery<'_>) -> Result<Acceptance, Refusal> {
        let now = self.clock.now();
        let verification = &self.verification;
        let verified = signing::verify(
            &delivery.headers,
            &delivery.body,
            &verification.secrets,
            now.timestamp(),
            verification.tolerance_seconds,
            verification.schemes,
        )
        .map_err(|rejection| rejected(&delivery, rejection))?;

        let parsed = parse(&delivery.body);
        if verified.freshness == Freshness::FromBody {
            // Such a signature can be replayed for as long as its body is taken for fresh, be it an event or not.
            let at = match &parsed {
                Ok(event) => (event.dialect != Dialect::Classic).then_some(event.created_at),
                Err(_) => time_of_thin(&delivery.body),
            };
            at.map_or(Ok(()), |at| {
                check_freshness(at.timestamp(), now.timestamp(), verification.tolerance_seconds)
            })
            .map_err(|rejection| rejected(&delivery, rejection))?;
        }
        let event = match parsed {
            Ok(event) => event,
            Err(problem) => {
                self.quarantine(&delivery, &problem);
                return Err(problem.into());
            }
        };
        if delivery.headers.webhook_id.is_some_and(|id| id != event.id.as_str()) {
            in_its_trace(&delivery, || {
                tracing::warn!(event.id = %event.id, "webhook-id differs from the event's own id; the event's own id counts");
            });
        }
        let new = NewEvent {
            endpoint: delivery.endpoint,
            event,
            source: Source::Webhook,
            received_at: now,
            content_type: delivery
                .content_type
                .filter(|text| domain::ids::check_name(text).is_ok())
                .map(str::to_owned),
            payload: delivery.body,
            traceparent: delivery.traceparent,
        };
        Ok(self.acceptor.accept(new).await?)
    }

    /// Has a signed body kept that is no event. The sender does not wait for it.
    fn quarantine(&self, delivery: &Delivery<'_>, problem: &InvalidEnvelope) {
        self.hatch.leave(Quarantined {
            endpoint: delivery.endpoint.clone(),
            received_at: self.clock.now(),
            body: delivery.body.to_vec(),
            content_type: delivery.content_type.map(|text| text.replace('\0', "\u{fffd}")),
            problem: problem.to_string().replace('\0', "\u{fffd}"),
        });
    }
}

/// Logs why a delivery is not trusted: the reason and how far the clocks are apart, never a header's value.
fn rejected(delivery: &Delivery<'_>, rejection: Rejection) -> Refusal {
    in_its_trace(delivery, || {
        tracing::warn!(
            endpoint = %delivery.endpoint,
            reason = rejection.reason.as_str(),
            skew_seconds = rejection.skew_seconds,
            body_bytes = delivery.body.len(),
            "delivery not verified; `worker doctor signature` explains why one fails"
        );
    });
    Refusal::Signature(rejection)
}

/// Logs something unusual about a delivery with its trace. Where spans go nowhere, the usual delivery has none.
fn in_its_trace(delivery: &Delivery<'_>, log: impl FnOnce()) {
    if !tracing::Span::current().is_none() {
        return log();
    }
    let span = tracing::info_span!("ingest.delivery.receive", endpoint = %delivery.endpoint);
    TraceContext::continue_from(&span, delivery.traceparent.as_deref());
    span.in_scope(log);
}
