//! Events as broker messages, and back.

use broker::Message;
use domain::envelope::parse;
use domain::ids::check_name;
use domain::{EndpointName, Event, EventId, EventKey, FailureClass};
use store::{Due, DueEvent, NewEvent, Source};

/// The message that carries a freshly accepted event.
pub(crate) fn first_message(event: NewEvent) -> Message {
    Message {
        event_id: event.event.id.into(),
        endpoint: event.endpoint.into(),
        payload: event.payload,
        content_type: event.content_type,
        received_at: event.received_at,
        generation: 1,
        tries: 0,
        traceparent: event.traceparent,
        failure: None,
    }
}

/// The same from the event's row, when its first publish was left to the relay.
pub(crate) fn late_message(event: DueEvent) -> Message {
    Message {
        event_id: event.key.id.into(),
        endpoint: event.key.endpoint.into(),
        payload: event.payload,
        content_type: event.content_type,
        received_at: event.received_at,
        generation: 1,
        tries: 0,
        traceparent: event.traceparent,
        failure: None,
    }
}

/// The message that an outbox row asks for.
pub(crate) fn due_message(due: &Due) -> Message {
    let failure = match due.queue {
        store::Queue::Work | store::Queue::Replies => None,
        store::Queue::Dead => due.failure.as_ref().map(|(class, reason)| broker::Failure {
            class: class.parse().unwrap_or(FailureClass::Bug),
            reason: reason.clone(),
        }),
    };
    Message {
        event_id: due.key.id.as_str().to_owned(),
        endpoint: due.key.endpoint.as_str().to_owned(),
        payload: due.payload.clone(),
        content_type: due.content_type.clone(),
        received_at: due.received_at,
        generation: due.generation,
        tries: due.tries,
        traceparent: due.traceparent.clone(),
        failure,
    }
}

/// Which event a message carries; `None` when its names are none that we could have accepted.
pub(crate) fn key_of(message: &Message) -> Option<EventKey> {
    Some(EventKey {
        endpoint: EndpointName::new(message.endpoint.as_str()).ok()?,
        id: EventId::new(message.event_id.as_str()).ok()?,
    })
}

/// The event that a message carries, or why it carries none that we can make sense of.
pub(crate) fn event_in(message: &Message) -> Result<(EventKey, Event), String> {
    let key = key_of(message).ok_or_else(|| "malformed message: unusable names".to_owned())?;
    let event = parse(&message.payload).map_err(|error| error.to_string())?;
    if event.id != key.id {
        return Err("malformed message: its id is not its payload's".to_owned());
    }
    Ok((key, event))
}

/// The event that a message carries, to be stored: it was accepted by the broker alone. What could not be stored beside
/// the event itself is left out, as at its receipt.
pub(crate) fn event_of(message: &Message, endpoint: EndpointName, event: Event) -> NewEvent {
    let storable = |text: &Option<String>| text.clone().filter(|text| check_name(text).is_ok());
    NewEvent {
        endpoint,
        event,
        source: Source::Queue,
        received_at: message.received_at,
        payload: message.payload.clone(),
        content_type: storable(&message.content_type),
        traceparent: storable(&message.traceparent),
    }
}

/// The broker's name of a queue that the store names.
pub(crate) const fn queue_of(queue: store::Queue) -> broker::Queue {
    match queue {
        store::Queue::Work => broker::Queue::Work,
        store::Queue::Dead => broker::Queue::Dead,
        store::Queue::Replies => broker::Queue::Replies,
    }
}
