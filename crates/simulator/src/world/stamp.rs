//! The moment at which a change happens, and what it makes: ids, stream events, notices.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{clock, world::ids::Ids};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// Something the platform would send a webhook about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The webhook's `data.type`.
    pub(crate) kind: String,
    /// `data.id`: the resource, or for threads their session.
    pub(crate) subject: String,
    /// Further members of `data`, such as the thread or the vault.
    pub(crate) data: Object,
    pub(crate) at: DateTime<Utc>,
}

impl Notice {
    pub(crate) fn about(kind: impl Into<String>, subject: &str, at: DateTime<Utc>) -> Self {
        Self { kind: kind.into(), subject: subject.to_owned(), data: Object::new(), at }
    }

    /// With one more member of `data`.
    pub(crate) fn with(mut self, member: &str, value: &str) -> Self {
        self.data.insert(member.to_owned(), value.into());
        self
    }
}

/// When something happens and where its ids come from, both given from outside.
pub(crate) struct Stamp<'a> {
    pub(crate) ids: &'a mut Ids,
    pub(crate) now: DateTime<Utc>,
}

impl Stamp<'_> {
    /// A processed stream event with a fresh id and `members` beside the common ones.
    pub(crate) fn event(&mut self, kind: &str, members: Value) -> Object {
        let mut event = object(members);
        event.insert("id".into(), self.ids.resource("sevt").into());
        event.insert("type".into(), kind.into());
        event.insert("processed_at".into(), clock::millis(self.now).into());
        event
    }

    pub(crate) fn text(&self) -> String {
        clock::millis(self.now)
    }
}

/// The object in a value that is known to be one; anything else counts as empty.
pub(crate) fn object(value: Value) -> Object {
    if let Value::Object(members) = value { members } else { Map::new() }
}

/// A string member, or the empty string.
pub(crate) fn text<'a>(object: &'a Object, member: &str) -> &'a str {
    object.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// One text content block.
pub(crate) fn text_block(text: &str) -> Value {
    json!([{ "type": "text", "text": text }])
}
