//! What distinguishes one kind of resource from another, as far as it can be said in a table.

use serde_json::{Map, Value};

use crate::world::{
    catalog::{Kind, listing::ListRules},
    refusal::Refusal,
    stamp::Object,
};

/// A kind's row in every table there is.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The `type` of its objects, and the first half of its webhooks' types.
    pub(crate) name: &'static str,
    /// Begins its ids.
    pub(crate) prefix: &'static str,
    /// Where the collection is below `/v1`, with the parent's parameter.
    pub(crate) path: &'static str,
    /// The kind whose id stands in the path, and in the object as `<kind>_id`.
    pub(crate) parent: Option<Kind>,
    /// What can be told when creating or updating.
    pub(crate) members: &'static [Member],
    /// Members that every new object has besides, as JSON.
    pub(crate) initial: &'static str,
    /// Brings what clients may write in several ways into the form in which it is shown.
    pub(crate) normalize: fn(&mut Object) -> Result<(), Refusal>,
    /// Which of its calls there are.
    pub(crate) calls: Calls,
    /// Whether an update that changes something is announced.
    pub(crate) announces_updates: bool,
    pub(crate) list: ListRules,
}

/// The calls of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calls {
    /// Retrieve and list.
    Read,
    /// And create, update, archive.
    Write,
    /// And delete.
    Delete,
}

/// One member that a client may write.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
}

/// Whether a member must be given when creating, and what stands in when it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    /// The default, as JSON.
    Or(&'static str),
    /// Only when updating; never stored.
    Transient,
}

/// What a member looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    TextOrNull,
    Number,
    Object,
    ObjectOrNull,
    List,
    /// Strings by name; in an update null removes one.
    Metadata,
}

impl Shape {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::TextOrNull => value.is_null() || value.is_string(),
            Self::Number => value.is_u64(),
            Self::Object => value.is_object(),
            Self::ObjectOrNull => value.is_null() || value.is_object(),
            Self::List => value.is_array(),
            Self::Metadata => value
                .as_object()
                .is_some_and(|map| map.values().all(|value| value.is_string() || value.is_null())),
        }
    }
}

impl Rules {
    /// The members of a new object, checked and completed; not yet id, type and times.
    pub(crate) fn complete(&self, mut given: Object) -> Result<Object, Refusal> {
        (self.normalize)(&mut given)?;
        self.check(&given)?;
        let mut object = json_object(self.initial);
        for member in self.members {
            match (given.remove(member.name), member.presence) {
                (_, Presence::Transient) => {}
                (Some(value), _) if !value.is_null() => {
                    object.insert(member.name.into(), value);
                }
                (_, Presence::Or(default)) => {
                    object.insert(member.name.into(), serde_json::from_str(default).unwrap_or_default());
                }
                (_, Presence::Required) => {
                    return Err(Refusal::invalid(format!("{}: required", member.name)));
                }
            }
        }
        Ok(object)
    }

    /// What of an update would really change the object.
    pub(crate) fn changes(&self, current: &Object, mut given: Object) -> Result<Object, Refusal> {
        (self.normalize)(&mut given)?;
        self.check(&given)?;
        let mut changes = Object::new();
        for member in self.members.iter().filter(|member| member.presence != Presence::Transient) {
            let Some(mut value) = given.remove(member.name) else { continue };
            let before = current.get(member.name).cloned().unwrap_or_default();
            if member.shape == Shape::Metadata {
                value = patched(before.as_object().cloned().unwrap_or_default(), &value);
            } else if value.is_null()
                && let Presence::Or(default) = member.presence
            {
                value = serde_json::from_str(default).unwrap_or_default();
            }
            if value != before {
                changes.insert(member.name.into(), value);
            }
        }
        Ok(changes)
    }

    fn check(&self, given: &Object) -> Result<(), Refusal> {
        for (name, value) in given {
            let member = self.members.iter().find(|member| member.name == name);
            let member = member.ok_or_else(|| Refusal::invalid(format!("{name}: unknown member")))?;
            let cleared = value.is_null() && matches!(member.presence, Presence::Or(_));
            if !cleared && !member.shape.fits(value) {
                return Err(Refusal::invalid(format!("{name}: wrong type or empty")));
            }
        }
        Ok(())
    }
}

fn patched(mut metadata: Map<String, Value>, patch: &Value) -> Value {
    for (name, value) in patch.as_object().into_iter().flatten() {
        if value.is_null() {
            metadata.remove(name);
        } else {
            metadata.insert(name.clone(), value.clone());
        }
    }
    Value::Object(metadata)
}

/// The object in a piece of JSON that is known to hold one.
pub(crate) fn json_object(text: &str) -> Object {
    serde_json::from_str(text).unwrap_or_default()
}

/// For kinds that are written as they are shown.
#[expect(clippy::unnecessary_wraps, reason = "the others refuse things")]
pub(crate) fn as_given(_given: &mut Object) -> Result<(), Refusal> {
    Ok(())
}

/// A member that must be there.
pub(crate) const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, presence: Presence::Required }
}

/// A member with a default, written as JSON.
pub(crate) const fn or(name: &'static str, shape: Shape, default: &'static str) -> Member {
    Member { name, shape, presence: Presence::Or(default) }
}

/// What every kind has.
pub(crate) const METADATA: Member = or("metadata", Shape::Metadata, "{}");
