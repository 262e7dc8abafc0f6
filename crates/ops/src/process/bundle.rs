//! Events that came together in one message and must not share each other's fate.

use super::Context;
use super::job::acknowledge;
use broker::{Acker, Delivery, Message, Queue};

/// After so many deliveries of a bundle its events go their own ways: if one of them ends every worker, it alone is to
/// reach the queue's delivery limit.
const SPLIT_AFTER: u64 = 2;

/// Takes bundles apart that came back again and again: each event is published as a message of its own, then the bundle
/// is done with. What cannot be published now is processed as it is.
pub(super) async fn split(context: &Context, deliveries: Vec<Delivery>) -> Vec<Delivery> {
    let suspect = |delivery: &Delivery| {
        delivery.acker.is_part() && delivery.hints.delivery_count >= SPLIT_AFTER && delivery.message.is_ok()
    };
    if !deliveries.iter().any(suspect) {
        return deliveries;
    }
    let (suspects, mut rest): (Vec<_>, Vec<_>) = deliveries.into_iter().partition(suspect);
    let messages: Vec<Message> =
        suspects.iter().filter_map(|delivery| delivery.message.as_ref().ok().cloned()).collect();
    let outcomes = context.publisher.publish_all(Queue::Work, &messages).await;
    let mut published = Vec::new();
    for (delivery, outcome) in suspects.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => published.push(delivery.acker),
            Err(_) => rest.push(delivery),
        }
    }
    tracing::warn!(
        events = published.len(),
        "bundle came back again and again; its events are separate messages now"
    );
    acknowledge(published).await;
    rest
}

/// Moves a message to the dead letters without Postgres. An event that came in a bundle is published there by itself; if
/// that fails, the bundle comes back.
pub(super) async fn bury(context: &Context, acker: Acker, message: Option<&Message>) {
    let done = match (acker.is_part(), message) {
        (true, Some(message)) => match context.publisher.publish(Queue::Dead, message).await {
            Ok(()) => acker.ack().await,
            Err(_unpublished) => return,
        },
        (_, _) => acker.reject_to_dead().await,
    };
    let _session_is_over = done.is_err();
}
