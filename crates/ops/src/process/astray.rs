//! Decisions in the queue of events, where only a person or an older release can have put them: they go to their own queue.
//! Here they would change nothing and be done with.

use super::Context;
use super::job::{Job, acknowledge};
use broker::{Message, Queue};

/// Sends decisions to where they are posted from, and gives back the other jobs. What is not confirmed stays unsettled, so
/// that it comes back.
pub(super) async fn send_on(context: &Context, jobs: Vec<Job>) -> Vec<Job> {
    let (astray, rest): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(is_decision);
    if astray.is_empty() {
        return rest;
    }
    let messages: Vec<Message> = astray.iter().map(|job| job.message.clone()).collect();
    let outcomes = context.publisher.publish_all(Queue::Replies, &messages).await;
    let sent = astray.into_iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
    let sent: Vec<_> = sent.map(|(job, _)| job.acker).collect();
    tracing::warn!(replies = sent.len(), "replies were in the queue of events; moved to their own");
    acknowledge(sent).await;
    rest
}

fn is_decision(job: &Job) -> bool {
    job.key.endpoint.as_str() == store::REPLY_ENDPOINT
        && job.event.event_type.as_str() == store::REPLY_EVENT_TYPE
}
