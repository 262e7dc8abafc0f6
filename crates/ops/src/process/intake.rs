//! Taking messages in: reading them, and letting go what is over.

use super::Context;
use super::job::{Job, acknowledge};
use crate::message::key_of;
use broker::{Acker, Delivery};
use domain::envelope::parse;
use domain::{EventKey, EventStatus};
use failpoints::failpoint;
use std::collections::HashMap;
use std::time::Duration;
use store::EventStanding;
use telemetry::{Chain, TraceContext};

/// Turns deliveries into jobs. What no worker can read goes to the dead letters one by one; what is over by now is
/// acknowledged.
pub(super) async fn run(context: &Context, deliveries: Vec<Delivery>) -> Vec<Job> {
    let mut jobs = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        match read(context, delivery) {
            Ok(job) => {
                failpoint!("intake.read", job.key.id.as_str());
                jobs.push(job);
            }
            Err((acker, why)) => {
                tracing::error!(error = %why, "message cannot be read; moved to the dead letters");
                context.metrics.count_processed("unreadable");
                let _session_is_over = acker.reject_to_dead().await.is_err();
            }
        }
    }
    let known = standings(context, &jobs).await;
    failpoint!("intake.known");
    let (current, over): (Vec<_>, Vec<_>) = jobs
        .into_iter()
        .partition(|job| known.get(&job.key).is_none_or(|standing| is_current(job, standing)));
    for _ in &over {
        context.metrics.count_processed("repeated");
    }
    acknowledge(over.into_iter().map(|job| job.acker).collect()).await;
    current
}

fn read(context: &Context, delivery: Delivery) -> Result<Job, (Acker, String)> {
    let Delivery { message, acker, .. } = delivery;
    let message = match message {
        Ok(message) => message,
        Err(malformed) => return Err((acker, malformed.to_string())),
    };
    let Some(key) = key_of(&message) else {
        return Err((acker, "malformed message: unusable names".to_owned()));
    };
    let event = match parse(&message.payload) {
        Ok(event) if event.id == key.id => event,
        Ok(_) => return Err((acker, "malformed message: its id is not its payload's".to_owned())),
        Err(error) => return Err((acker, error.to_string())),
    };
    let span = tracing::info_span!(
        "worker.event.process",
        event.id = %key.id,
        event.type = %event.event_type,
        generation = message.generation,
        tries = message.tries,
    );
    TraceContext::continue_from(&span, message.traceparent.as_deref());
    Ok(Job { key, event, message, acker, started_at: context.clock.now(), span })
}

/// A message is for one try of one generation; when the event has moved on, the message is over.
pub(super) fn is_current(job: &Job, standing: &EventStanding) -> bool {
    standing.status == EventStatus::Pending
        && (standing.generation, standing.tries) == (job.message.generation, job.message.tries)
}

/// What the store knows of the events. Waits for Postgres for as long as it takes: without it nothing can be written
/// anyway, and what is held here is bounded by the prefetch.
async fn standings(context: &Context, jobs: &[Job]) -> HashMap<EventKey, EventStanding> {
    let keys: Vec<EventKey> = jobs.iter().map(|job| job.key.clone()).collect();
    let mut pause = Duration::from_millis(100);
    loop {
        let asked = async {
            let mut connection = context.store.connection().await?;
            store::standing_of(&mut connection, &keys).await
        };
        match asked.await {
            Ok(standings) => return standings,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "cannot look up events; waiting for Postgres");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(10));
            }
        }
    }
}
