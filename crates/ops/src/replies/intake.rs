//! Reading messages of the queue `replies`.

use super::Context;
use crate::message::event_in;
use crate::process::groups::Key;
use broker::{Acker, Delivery, Message};
use chrono::{DateTime, Utc};
use domain::{EventKey, EventStatus, ResourceKind};
use futures_util::future::join_all;
use store::EventStanding;
use telemetry::TraceContext;
use tracing::Span;

/// Messages that are taken in together.
pub(super) const AT_ONCE: usize = 200;

/// A reply's message in the hands of a worker.
pub(super) struct Job {
    pub(super) key: EventKey,
    pub(super) message: Message,
    pub(super) acker: Acker,
    pub(super) started_at: DateTime<Utc>,
    pub(super) span: Span,
}

impl Job {
    /// A message is for one try of one generation; when the event has moved on, the message is over.
    pub(super) fn is_for(&self, standing: &EventStanding) -> bool {
        standing.status == EventStatus::Pending
            && (standing.generation, standing.tries) == (self.message.generation, self.message.tries)
    }
}

/// Turns deliveries into jobs, each under its session. What is no reply goes to the dead letters.
pub(super) async fn run(context: &Context, deliveries: Vec<Delivery>) -> Vec<(Key, Job)> {
    let mut jobs = Vec::with_capacity(deliveries.len());
    for Delivery { message, acker, .. } in deliveries {
        let read = match message {
            Ok(message) => read(context, message),
            Err(malformed) => Err(malformed.to_string()),
        };
        match read {
            Ok((session, key, message, span)) => {
                let job = Job { key, message, acker, started_at: context.clock.now(), span };
                jobs.push((Key::Resource(ResourceKind::Session, session), job));
            }
            Err(why) => {
                tracing::error!(
                    error = why,
                    "message of the queue replies cannot be read; moved to the dead letters"
                );
                context.metrics.count("unreadable");
                let _session_is_over = acker.reject_to_dead().await.is_err();
            }
        }
    }
    jobs
}

fn read(context: &Context, message: Message) -> Result<(String, EventKey, Message, Span), String> {
    let (key, event) = event_in(&message)?;
    if key.endpoint.as_str() != store::REPLY_ENDPOINT || event.event_type.as_str() != store::REPLY_EVENT_TYPE
    {
        return Err(format!("{} of endpoint {} is no reply", event.event_type, key.endpoint));
    }
    let session = session_in(&message).ok_or("malformed message: it names no session")?;
    let span = tracing::info_span!(
        "worker.reply.post",
        event.id = %key.id,
        session.id = session,
        generation = message.generation,
        tries = message.tries,
        worker = context.config.worker,
    );
    TraceContext::continue_from(&span, message.traceparent.as_deref());
    Ok((session, key, message, span))
}

fn session_in(message: &Message) -> Option<String> {
    let envelope: serde_json::Value = serde_json::from_slice(&message.payload).ok()?;
    envelope.pointer("/data/id")?.as_str().map(str::to_owned)
}

/// Acknowledges messages, all at the same time. When the session is over, the broker delivers them again, and they are
/// over then.
pub(super) async fn acknowledge(jobs: impl IntoIterator<Item = Job>) {
    let _sessions_are_over = join_all(jobs.into_iter().map(|job| job.acker.ack())).await;
}
