//! Taking messages in: reading them, and letting go what is over.

use super::Context;
use super::job::{Job, acknowledge};
use super::{astray, bundle};
use crate::message::event_in;
use broker::{Acker, Delivery, Message};
use domain::{EventKey, EventStatus};
use failpoints::failpoint;
use std::collections::HashMap;
use std::time::Duration;
use store::EventStanding;
use telemetry::{Chain, TraceContext};

/// How long a look-up by keys may take. Beyond it the connection is taken for dead and another one is asked.
const LOOKUP_LIMIT: Duration = Duration::from_secs(15);

/// Turns deliveries into jobs. What no worker can read goes to the dead letters one by one; what is over by now is
/// acknowledged.
pub(super) async fn run(context: &Context, deliveries: Vec<Delivery>) -> Vec<Job> {
    let taken = deliveries.len();
    context.progress.took(taken);
    let mut jobs = Vec::with_capacity(taken);
    for delivery in bundle::split(context, deliveries).await {
        match read(context, delivery) {
            Ok(job) => {
                failpoint!("intake.read", job.key.id.as_str());
                jobs.push(job);
            }
            Err(unreadable) => {
                let Unreadable { acker, message, why } = *unreadable;
                tracing::error!(error = %why, "message cannot be read; moved to the dead letters");
                context.metrics.count_processed("unreadable");
                bundle::bury(context, acker, message.as_ref()).await;
            }
        }
    }
    let jobs = astray::send_on(context, jobs).await;
    let known = standings(context, &jobs).await;
    failpoint!("intake.known");
    let (current, over): (Vec<_>, Vec<_>) = jobs
        .into_iter()
        .partition(|job| known.get(&job.key).is_none_or(|standing| is_current(job, standing)));
    for _ in &over {
        context.metrics.count_processed("repeated");
    }
    acknowledge(over.into_iter().map(|job| job.acker).collect()).await;
    context.progress.settled(taken - current.len());
    current
}

/// A message that no worker can make sense of.
struct Unreadable {
    acker: Acker,
    message: Option<Message>,
    why: String,
}

fn read(context: &Context, delivery: Delivery) -> Result<Job, Box<Unreadable>> {
    let Delivery { message, acker, redelivered, .. } = delivery;
    let message = match message {
        Ok(message) => message,
        Err(malformed) => {
            return Err(Box::new(Unreadable { acker, message: None, why: malformed.to_string() }));
        }
    };
    let (key, event) = match event_in(&message) {
        Ok(found) => found,
        Err(why) => return Err(Box::new(Unreadable { acker, message: Some(message), why })),
    };
    let span = tracing::info_span!(
        "worker.event.process",
        event.id = %key.id,
        event.type = %event.event_type,
        generation = message.generation,
        tries = message.tries,
    );
    TraceContext::continue_from(&span, message.traceparent.as_deref());
    Ok(Job { key, event, message, acker, redelivered, started_at: context.clock.now(), span })
}

/// A message is for one try of one generation; when the event has moved on, the message is over.
pub(super) fn is_current(job: &Job, standing: &EventStanding) -> bool {
    standing.status == EventStatus::Pending
        && (standing.generation, standing.tries) == (job.message.generation, job.message.tries)
}

/// What the store knows of the events that may be over. Waits for Postgres for as long as it takes: without it nothing can be written
/// anyway, and what is held here is bounded by the prefetch.
async fn standings(context: &Context, jobs: &[Job]) -> HashMap<EventKey, EventStanding> {
    let keys: Vec<EventKey> =
        jobs.iter().filter(|job| job.may_be_over()).map(|job| job.key.clone()).collect();
    if keys.is_empty() {
        return HashMap::new();
    }
    let mut pause = Duration::from_millis(100);
    loop {
        let asked = async {
            let mut connection = context.store.connection().await?;
            store::standing_of(&mut connection, &keys).await
        };
        let waiting = context.progress.waiting("Postgres, where events stand".to_owned());
        let error = match context.store.within(LOOKUP_LIMIT, "look up events", asked).await {
            Ok(standings) => return standings,
            Err(error) => error,
        };
        drop(waiting);
        tracing::warn!(error = %Chain(&error), "cannot look up events; waiting for Postgres");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}
