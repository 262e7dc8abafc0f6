//! A resource of any kind: what all of them have in common, and one status for each.

use crate::Defect;
use crate::object::Object;
use chrono::{DateTime, Utc};
use domain::ResourceKind;
use serde_json::Value;

/// A resource of any kind. All else that the platform says of it is in [`Fetched::raw`](crate::Fetched::raw).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What it is; known from the call, not from the object.
    pub kind: ResourceKind,
    /// Its id, opaque.
    pub id: String,
    /// What it is doing, in one word. Open.
    ///
    /// | kind | status |
    /// | --- | --- |
    /// | session, session thread | the platform's own: `idle`, `running`, `rescheduling`, `terminated` |
    /// | deployment | `archived` once it is (the platform goes on saying `active`), else its own: `active`, `paused` |
    /// | deployment run | `failed`, `succeeded`, or `started` while there is neither a session nor an error |
    /// | all others | `archived` or `active` |
    pub status: Option<String>,
    /// What it belongs to, where its path names that: a thread's session, a credential's vault.
    pub parent_id: Option<String>,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed; orders two snapshots of the same resource. Runs do not say it.
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was archived, if it was.
    pub archived_at: Option<DateTime<Utc>>,
    /// Why a deployment is paused, or why a run has failed.
    pub reason: Option<Reason>,
}

/// Why something does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The platform's word: `manual`, or the type of an error such as `environment_archived_error`. Open.
    pub kind: String,
    /// A sentence for people, where there is one.
    pub message: Option<String>,
}

impl Resource {
    pub(crate) fn read(kind: ResourceKind, object: &Object) -> Result<Self, Defect> {
        let archived_at = object.time("archived_at")?;
        Ok(Self {
            kind,
            id: object.required_text("id")?,
            status: status(kind, object, archived_at.is_some())?,
            parent_id: parent_member(kind).and_then(|member| object.owned_text(member)),
            created_at: object.time("created_at")?,
            updated_at: object.time("updated_at")?,
            archived_at,
            reason: reason(kind, object),
        })
    }
}

fn status(kind: ResourceKind, object: &Object, is_archived: bool) -> Result<Option<String>, Defect> {
    let word = match kind {
        ResourceKind::Session | ResourceKind::SessionThread => object.required_text("status")?,
        ResourceKind::Deployment if !is_archived => object.required_text("status")?,
        ResourceKind::DeploymentRun if present(object, "error").is_some() => "failed".to_owned(),
        ResourceKind::DeploymentRun if present(object, "session_id").is_some() => "succeeded".to_owned(),
        ResourceKind::DeploymentRun => "started".to_owned(),
        ResourceKind::Deployment
        | ResourceKind::Vault
        | ResourceKind::VaultCredential
        | ResourceKind::Agent
        | ResourceKind::Environment
        | ResourceKind::MemoryStore => if is_archived { "archived" } else { "active" }.to_owned(),
        ResourceKind::ExternalKey | ResourceKind::UserProfile | ResourceKind::Message => return Ok(None),
    };
    Ok(Some(word))
}

const fn parent_member(kind: ResourceKind) -> Option<&'static str> {
    match kind {
        ResourceKind::SessionThread => Some("session_id"),
        ResourceKind::VaultCredential => Some("vault_id"),
        ResourceKind::Session
        | ResourceKind::Vault
        | ResourceKind::Agent
        | ResourceKind::Deployment
        | ResourceKind::DeploymentRun
        | ResourceKind::Environment
        | ResourceKind::MemoryStore
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile
        | ResourceKind::Message => None,
    }
}

fn reason(kind: ResourceKind, object: &Object) -> Option<Reason> {
    if kind == ResourceKind::Deployment {
        let paused = present(object, "paused_reason")?;
        // An automatic pause names the error of the run that led to it.
        return Reason::of(paused.get("error").filter(|error| !error.is_null()).unwrap_or(paused));
    }
    if kind == ResourceKind::DeploymentRun { Reason::of(present(object, "error")?) } else { None }
}

impl Reason {
    fn of(value: &Value) -> Option<Self> {
        let text = |member| value.get(member).and_then(Value::as_str).map(str::to_owned);
        Some(Self { kind: text("type")?, message: text("message") })
    }
}

fn present<'a>(object: &'a Object, member: &str) -> Option<&'a Value> {
    object.0.get(member).filter(|value| !value.is_null())
}
