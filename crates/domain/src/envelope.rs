//! From the bytes of a signed body to an [`Event`].
//!
//! Three shapes are told apart by what they hold: the platform's (`"type":"event"` with a `data` object that has a
//! type), classic (an `event_id`, or a `created_at` in Unix seconds), and flat (everything else). Unknown types,
//! unknown members and members of an unexpected type are fine wherever they are not needed.

use crate::event::{Dialect, Event};
use crate::ids::{EventId, EventType, InvalidName, check_name};
use crate::resource::{ResourceKind, ResourceRef};
use crate::rules::kind_of;
use chrono::{DateTime, SubsecRound, Utc};
use members::{Members, Scalar};

mod members;

/// A signed body that is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEnvelope {
    /// Not JSON in UTF-8 (or nested deeper than any envelope).
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A member that every event needs is not there.
    #[error("the member {0:?} is missing")]
    Missing(&'static str),
    /// A member that every event needs has a value that cannot be used.
    #[error("the member {member:?} {problem}")]
    Unusable {
        /// Where it stands.
        member: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads an envelope of any of the three dialects.
///
/// # Errors
/// When the body is not JSON, or lacks what every event needs: an id, a type and a time.
pub fn parse(body: &[u8]) -> Result<Event, InvalidEnvelope> {
    let not_json = |error: &dyn std::fmt::Display| InvalidEnvelope::NotJson(error.to_string());
    let text = std::str::from_utf8(body).map_err(|error| not_json(&error))?;
    let value: Scalar<'_> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    let Scalar::Object(top) = value else { return Err(InvalidEnvelope::NotAnObject) };
    let empty = Members::default();
    let data = top.object("data").unwrap_or(&empty);

    match dialect(&top, data) {
        Dialect::Platform => event(Dialect::Platform, &top, data, ("id", "id"), (data, "data.type", "type")),
        Dialect::Classic => {
            event(Dialect::Classic, &top, data, ("event_id", "event_id"), (&top, "type", "type"))
        }
        Dialect::Flat => event(Dialect::Flat, &top, data, ("id", "id"), (&top, "type", "type")),
    }
}

/// The time by which a thin body must be fresh when its signature has none, even if it is no envelope otherwise. `None` for
/// classic events, which are whole, and where there is no usable time.
#[must_use]
pub fn time_of_thin(body: &[u8]) -> Option<DateTime<Utc>> {
    let Ok(Scalar::Object(top)) = serde_json::from_str(std::str::from_utf8(body).ok()?) else { return None };
    let empty = Members::default();
    match dialect(&top, top.object("data").unwrap_or(&empty)) {
        Dialect::Classic => None,
        Dialect::Platform | Dialect::Flat => instant(top.get("created_at")).ok(),
    }
}

fn dialect(top: &Members<'_>, data: &Members<'_>) -> Dialect {
    if top.text("type") == Some("event") && data.get("type").is_some() {
        Dialect::Platform
    } else if top.get("event_id").is_some() || top.get("created_at").is_some_and(Scalar::is_number) {
        Dialect::Classic
    } else {
        Dialect::Flat
    }
}

fn event(
    dialect: Dialect,
    top: &Members<'_>,
    data: &Members<'_>,
    (id_path, id_member): (&'static str, &str),
    (type_holder, type_path, type_member): (&Members<'_>, &'static str, &str),
) -> Result<Event, InvalidEnvelope> {
    let unusable = |member| {
        move |problem: InvalidName| InvalidEnvelope::Unusable { member, problem: problem.to_string() }
    };
    let id = EventId::new(text(top, id_path, id_member)?).map_err(unusable(id_path))?;
    let event_type =
        EventType::new(text(type_holder, type_path, type_member)?).map_err(unusable(type_path))?;
    let created_at = instant(top.get("created_at"))?;
    let resource = resource(event_type.as_str(), top, data);
    let owner = |member| name(data, member).or_else(|| name(top, member));
    Ok(Event {
        id,
        event_type,
        created_at,
        dialect,
        resource,
        organization_id: owner("organization_id"),
        workspace_id: owner("workspace_id"),
    })
}

fn text<'a>(object: &'a Members<'_>, path: &'static str, member: &str) -> Result<&'a str, InvalidEnvelope> {
    match object.get(member) {
        None | Some(Scalar::Null) => Err(InvalidEnvelope::Missing(path)),
        Some(Scalar::Text(text)) => Ok(text),
        Some(_) => Err(InvalidEnvelope::Unusable { member: path, problem: "must be a string".to_owned() }),
    }
}

/// A time: RFC 3339 text, or whole Unix seconds. Years outside 0 to 9999 are nobody's, and no database's either.
fn instant(value: Option<&Scalar<'_>>) -> Result<DateTime<Utc>, InvalidEnvelope> {
    const MEMBER: &str = "created_at";
    let unusable = |problem: &str| InvalidEnvelope::Unusable { member: MEMBER, problem: problem.to_owned() };
    let instant = match value {
        None | Some(Scalar::Null) => return Err(InvalidEnvelope::Missing(MEMBER)),
        Some(Scalar::Text(text)) => DateTime::parse_from_rfc3339(text)
            .map_err(|_| unusable("must be a time such as 2026-03-15T10:00:00Z"))?
            .with_timezone(&Utc),
        Some(Scalar::Integer(seconds)) if (0..=253_402_300_799).contains(seconds) => {
            DateTime::from_timestamp(*seconds, 0)
                .ok_or_else(|| unusable("must be a whole number of Unix seconds"))?
        }
        Some(Scalar::Integer(_) | Scalar::Number) => {
            return Err(unusable("must be a whole number of Unix seconds"));
        }
        Some(_) => return Err(unusable("must be a time (RFC 3339 text or Unix seconds)")),
    };
    // Microseconds are what the store keeps; the order of events must not differ before and after storing.
    Ok(instant.trunc_subsecs(6))
}

/// An optional name; one that could not be stored counts as absent.
fn name(object: &Members<'_>, member: &str) -> Option<String> {
    let text = object.text(member)?;
    check_name(text).ok()?;
    Some(text.to_owned())
}

fn resource(event_type: &str, top: &Members<'_>, data: &Members<'_>) -> Option<ResourceRef> {
    let kind = kind_of(event_type)?;
    let anywhere = |member| name(data, member).or_else(|| name(top, member));
    let data_id = || name(data, "id");
    let (kind, id, parent_id) = match kind {
        // The id in `data` is the session; a delivery without the thread's id still says that the session changed.
        ResourceKind::SessionThread => {
            let session = data_id().or_else(|| anywhere("session_id"))?;
            match anywhere("session_thread_id") {
                Some(thread) => (kind, thread, Some(session)),
                None => (ResourceKind::Session, session, None),
            }
        }
        // A pending tool result may carry the tool use's id in `data.id`.
        ResourceKind::Session if event_type.starts_with("tool.") => {
            (kind, anywhere("session_id").or_else(data_id)?, None)
        }
        ResourceKind::Session => (kind, data_id().or_else(|| anywhere("session_id"))?, None),
        ResourceKind::Agent => (kind, data_id().or_else(|| anywhere("agent_id"))?, None),
        ResourceKind::VaultCredential => (kind, data_id()?, anywhere("vault_id")),
        ResourceKind::Vault
        | ResourceKind::Deployment
        | ResourceKind::DeploymentRun
        | ResourceKind::Environment
        | ResourceKind::MemoryStore
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile
        | ResourceKind::Message => (kind, data_id()?, None),
    };
    Some(ResourceRef { kind, id, parent_id })
}

/// The details of a classic event, as JSON text: they are the snapshot, because there is nothing to fetch.
#[must_use]
pub fn payload_data(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Details<'a> {
        #[serde(borrow)]
        data: &'a serde_json::value::RawValue,
    }
    serde_json::from_slice::<Details<'_>>(body).ok().map(|details| details.data.get().to_owned())
}

#[cfg(test)]
mod tests;
