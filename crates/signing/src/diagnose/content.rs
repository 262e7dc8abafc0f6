//! What goes before the body in the signed content, in the right layout and in the wrong ones.

use serde_json::Value;

use super::Code;
use super::delivery::Delivery;
use crate::scheme::Scheme;

pub(super) struct Content {
    pub(super) prefix: String,
    pub(super) departure: Option<Code>,
}

/// The prefixes a sender may have signed, the right one first.
pub(super) fn candidates(delivery: &Delivery<'_>) -> Vec<Content> {
    // A header of the other family stands in only where the own one is missing.
    let timestamp = delivery.timestamp.or(delivery.own.timestamp).or(delivery.other.timestamp);
    let own_id = delivery.own.id.or(delivery.other.id);
    let other_ids = [delivery.other.id, delivery.body_id.as_deref()];
    let other_ids = other_ids.into_iter().flatten().filter(|id| own_id.is_some_and(|own| own != *id));
    let ids =
        own_id.map(|id| (id, None)).into_iter().chain(other_ids.map(|id| (id, Some(Code::IdRewritten))));

    let mut contents = Vec::new();
    if let Some(timestamp) = timestamp {
        contents.extend(ids.map(|(id, rewritten)| Content {
            prefix: format!("{id}.{timestamp}."),
            departure: match delivery.scheme {
                Scheme::Standard | Scheme::StandardX => rewritten,
                Scheme::TimestampedHex | Scheme::BodyOnly => Some(Code::OtherForm),
            },
        }));
        contents.push(Content {
            prefix: format!("{timestamp}."),
            departure: match delivery.scheme {
                Scheme::Standard | Scheme::StandardX => Some(Code::IdNotSigned),
                Scheme::TimestampedHex => None,
                Scheme::BodyOnly => Some(Code::OtherForm),
            },
        });
    }
    contents.push(Content {
        prefix: String::new(),
        departure: (delivery.scheme != Scheme::BodyOnly).then_some(Code::BodyOnly),
    });
    contents
}

/// The event's own id, in either dialect of envelope.
pub(super) fn id_in(body: &[u8]) -> Option<String> {
    let envelope: Value = serde_json::from_slice(body).ok()?;
    let id = envelope.get("id").or_else(|| envelope.get("event_id"))?;
    id.as_str().map(str::to_owned)
}
