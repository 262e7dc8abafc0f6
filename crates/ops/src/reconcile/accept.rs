//! Taking in what was found, as if it had been delivered.

use super::{POSTGRES_LIMIT, Reconciler};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::reconcile::{Missed, Owner, body, id_of_change};
use domain::{EndpointName, ResourceRef};
use failpoints::failpoint;
use store::{Accepted, NewEvent, Source};

/// An event that should have been delivered.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The id it gets, the same whoever finds it.
    pub(super) id: String,
    pub(super) resource: ResourceRef,
    pub(super) event_type: &'static str,
    pub(super) at: DateTime<Utc>,
}

impl Found {
    /// The event that a difference stands for.
    pub(super) fn of(resource: &ResourceRef, missed: &Missed) -> Self {
        let id = id_of_change(resource, missed);
        Self { id, resource: resource.clone(), event_type: missed.event_type, at: missed.at }
    }

    /// It, as an event to store. `None` where the platform's id cannot be stored; a delivery of it could not be either.
    fn event(&self, owner: &Owner, received_at: DateTime<Utc>) -> Option<NewEvent> {
        let payload = body(&self.id, &self.resource, self.event_type, self.at, owner).to_string();
        let payload = Bytes::from(payload);
        let event = domain::envelope::parse(&payload).ok()?;
        Some(NewEvent {
            endpoint: EndpointName::default_endpoint(),
            event,
            source: Source::Reconcile,
            received_at,
            payload,
            content_type: Some("application/json".to_owned()),
            traceparent: None,
        })
    }
}

impl Reconciler {
    /// Stores events with the schedule of their publish, which is due at once. Tells of each whether it is new.
    pub(super) async fn accept(&self, found: &[Found], owner: &Owner) -> Result<Vec<bool>, store::Error> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let events: Vec<Option<NewEvent>> = found.iter().map(|found| found.event(owner, now)).collect();
        let storable: Vec<NewEvent> = events.iter().flatten().cloned().collect();
        let accepting = async {
            let mut connection = self.store.connection().await?;
            store::accept_batch(&mut connection, &storable, Some(now)).await
        };
        let accepted = self.store.within(POSTGRES_LIMIT, "accept what was found", accepting).await?;
        failpoint!("reconcile.accepted");
        let mut outcomes = accepted.outcomes.into_iter();
        let is_new = |event: Option<NewEvent>| {
            event.and_then(|_| outcomes.next()).is_some_and(|outcome| matches!(outcome, Accepted::New(_)))
        };
        let new: Vec<bool> = events.into_iter().map(is_new).collect();
        for (found, _) in found.iter().zip(&new).filter(|(_, new)| **new) {
            self.metrics.count_queued(found.resource.kind);
            tracing::info!(
                event.id = found.id,
                event.type = found.event_type,
                resource = %found.resource,
                created_at = %found.at.to_rfc3339(),
                "event was never delivered; it is queued now"
            );
        }
        Ok(new)
    }
}
