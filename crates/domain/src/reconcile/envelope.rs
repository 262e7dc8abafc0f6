//! The event that stands in for one that was not delivered.

use super::Missed;
use crate::resource::{ResourceKind, ResourceRef};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Bytes of the digest that enter an id: enough that no two changes ever share one.
const DIGEST_BYTES: usize = 16;

/// Whose resource it is, where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owner {
    /// The organization.
    pub organization_id: Option<String>,
    /// The workspace.
    pub workspace_id: Option<String>,
}

/// The id of an event that tells of a resource's change. The same change has the same id, whoever finds it and however
/// often: it becomes one event.
#[must_use]
pub fn id_of_change(resource: &ResourceRef, missed: &Missed) -> String {
    let mut at = missed.at.to_rfc3339_opts(SecondsFormat::Micros, true);
    if let Some(look) = missed.looked_too_early {
        at.push_str(" after ");
        at.push_str(&look.to_rfc3339_opts(SecondsFormat::Micros, true));
    }
    digest([resource.kind.as_str(), &resource.id, missed.event_type, &at])
}

/// The id of an event that tells of a transition which stands in a session's own list of events under an id.
#[must_use]
pub fn id_of_transition(resource: &ResourceRef, event_type: &str, listed_event: &str) -> String {
    digest([resource.kind.as_str(), &resource.id, event_type, listed_event])
}

fn digest(parts: [&str; 4]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Names hold no control characters, so no two lists of parts read the same.
        hash.update(part);
        hash.update([0]);
    }
    let mut id = String::from("reconcile_");
    for byte in hash.finalize().iter().take(DIGEST_BYTES) {
        let _always_fits = write!(id, "{byte:02x}").is_err();
    }
    id
}

/// The body of the event, in the platform's own shape. Its time has whole seconds as the platform's have: the event takes
/// the place among the others that the lost one would have had.
#[must_use]
pub fn body(id: &str, resource: &ResourceRef, event_type: &str, at: DateTime<Utc>, owner: &Owner) -> Value {
    let mut data = json!({ "type": event_type, "id": resource.id });
    if let Some(data) = data.as_object_mut() {
        match (resource.kind, &resource.parent_id) {
            (ResourceKind::SessionThread, Some(session)) => {
                data.insert("id".to_owned(), session.as_str().into());
                data.insert("session_thread_id".to_owned(), resource.id.as_str().into());
            }
            (ResourceKind::VaultCredential, Some(vault)) => {
                data.insert("vault_id".to_owned(), vault.as_str().into());
            }
            _ => {}
        }
        let owners = [("organization_id", &owner.organization_id), ("workspace_id", &owner.workspace_id)];
        for (member, id) in owners {
            if let Some(id) = id {
                data.insert(member.to_owned(), id.as_str().into());
            }
        }
    }
    let created_at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({ "type": "event", "id": id, "created_at": created_at, "data": data })
}
