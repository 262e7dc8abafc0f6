//! Events and the messages that carry them.

use super::{after, noon};
use anyhow::Result;
use bytes::Bytes;
use domain::EndpointName;
use serde_json::Value;
use store::{NewEvent, Source};

/// A verified delivery of this body at noon, as the receiver would pass it on.
pub(crate) fn event(body: &Value) -> Result<NewEvent> {
    let payload = Bytes::from(body.to_string());
    Ok(NewEvent {
        endpoint: EndpointName::new("default")?,
        event: domain::envelope::parse(&payload)?,
        source: Source::Webhook,
        received_at: noon(),
        payload,
        content_type: Some("application/json".to_owned()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    })
}

/// A thin event about a session, so many seconds after noon by the sender's clock.
pub(crate) fn platform_event(id: &str, event_type: &str, session: &str, seconds: i64) -> Result<NewEvent> {
    event(&testkit::payload::platform(id, event_type, session, after(seconds)))
}

/// The message of an event's first try.
pub(crate) fn message(new: &NewEvent) -> broker::Message {
    broker::Message {
        event_id: new.event.id.as_str().to_owned(),
        endpoint: new.endpoint.as_str().to_owned(),
        payload: new.payload.clone(),
        content_type: new.content_type.clone(),
        received_at: new.received_at,
        generation: 1,
        tries: 0,
        traceparent: new.traceparent.clone(),
        failure: None,
    }
}

/// The message that a queue's properties and body stand for, as far as tests look at it: generation and tries.
pub(crate) fn stored_message(peeked: &testkit::broker::Peeked, header: &str) -> Option<String> {
    let headers = peeked.properties.headers().as_ref()?;
    let value = headers.inner().iter().find(|(name, _)| name.as_str() == header)?.1;
    let text = value.as_long_string().map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
    text.or_else(|| value.as_long_long_int().map(|number| number.to_string()))
}
