//! One resource: what the API shows of it, and what it keeps to itself.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    clock,
    world::{
        lag::Lag,
        stamp::{Object, text},
    },
};

/// A resource that exists or has existed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resource {
    pub(crate) object: Object,
    /// The earlier versions of an agent, oldest first.
    pub(crate) versions: Vec<Object>,
    /// What a credential's validation answers, over the defaults.
    pub(crate) validation: Object,
    pub(crate) lag: Lag,
    deleted_at: Option<DateTime<Utc>>,
}

impl Resource {
    pub(crate) fn new(object: Object) -> Self {
        Self { object, ..Self::default() }
    }

    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    /// A string member, or the empty string.
    pub(crate) fn text(&self, member: &str) -> &str {
        text(&self.object, member)
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.object.get("archived_at").is_some_and(|at| !at.is_null())
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// Leaves a tombstone: nothing is readable any more, but it is known that there was something.
    pub(crate) fn delete(&mut self, at: DateTime<Utc>) {
        self.deleted_at = Some(at);
    }

    pub(crate) fn set(&mut self, member: &str, value: impl Into<Value>, at: DateTime<Utc>) {
        self.object.insert(member.into(), value.into());
        self.touch(at);
    }

    pub(crate) fn touch(&mut self, at: DateTime<Utc>) {
        self.object.insert("updated_at".into(), clock::millis(at).into());
    }

    /// What a fetch sees.
    pub(crate) fn read(&mut self) -> Value {
        Value::Object(self.lag.read(&self.object))
    }

    pub(crate) fn to_value(&self) -> Value {
        Value::Object(self.object.clone())
    }
}
