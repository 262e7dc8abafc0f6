//! What is found out about a resource before a person is told.

use chrono::{DateTime, Utc};
use claude::{Client, Error, EventFilter, Order, Paging, SessionEvent};
use domain::{FailureClass, ResourceKind, ResourceState};
use serde_json::{Map, Value, json};
use store::DueEffect;

/// Events of a session that are looked through for the reason; errors come in bursts.
const EVENTS: u32 = 20;

/// Errors that an alert shows.
const ERRORS: usize = 3;

/// What was found out.
pub(super) struct Found {
    /// For people and sinks: an object.
    pub(super) details: Value,
    /// When the idle event happened that the effect is keyed by, where it is and was found.
    pub(super) idle_at: Option<DateTime<Utc>>,
}

/// Finds out what a person needs to know. A resource that is gone is described by what is stored of it.
pub(super) async fn details(
    claude: &Client,
    effect: &DueEffect,
    state: &ResourceState,
) -> Result<Found, Error> {
    let mut details = stored(effect, state);
    let mut idle_at = None;
    if effect.resource.kind == ResourceKind::Session {
        match last_words(claude, &effect.resource.id).await {
            Ok(events) => {
                idle_at =
                    events.iter().find(|event| event.id == effect.key).and_then(|idle| idle.processed_at);
                describe(&mut details, &events, &effect.key);
            }
            Err(error) if error.class() == FailureClass::Gone => {
                details.insert("session".to_owned(), json!("not there any more"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Found { details: Value::Object(details), idle_at })
}

/// What can be said although the API could not be asked.
pub(super) fn without_api(effect: &DueEffect, state: &ResourceState, error: &str) -> Found {
    let mut details = stored(effect, state);
    details.insert("details_missing".to_owned(), json!(error));
    Found { details: Value::Object(details), idle_at: None }
}

/// The last errors and idle events of a session, newest first.
async fn last_words(claude: &Client, session: &str) -> Result<Vec<SessionEvent>, Error> {
    let filter = EventFilter {
        paging: Paging { limit: Some(EVENTS), page: None },
        order: Some(Order::Descending),
        types: vec!["session.error".to_owned(), "session.status_idle".to_owned()],
        ..EventFilter::default()
    };
    let page = claude.session_events(session, &filter).await?;
    Ok(page.items.into_iter().map(|event| event.value).collect())
}

/// Why the session went idle, and which errors came before.
fn describe(details: &mut Map<String, Value>, events: &[SessionEvent], key: &str) {
    let idle = |event: &&SessionEvent| event.kind == "session.status_idle";
    let idle = events.iter().find(|event| event.id == key).or_else(|| events.iter().find(idle));
    if let Some(event) = idle {
        for member in ["stop_reason", "stop_details"] {
            if let Some(value) = event.member(member) {
                details.insert(member.to_owned(), value.clone());
            }
        }
    }
    let errors: Vec<Value> = events
        .iter()
        .filter(|event| event.kind == "session.error")
        .take(ERRORS)
        .filter_map(|event| {
            let error = event.error()?;
            Some(json!({
                "type": error.kind,
                "message": error.message,
                "retry_status": error.retry_status.map(|status| status.to_string()),
                "at": event.processed_at,
            }))
        })
        .collect();
    if !errors.is_empty() {
        details.insert("errors".to_owned(), Value::Array(errors));
    }
}

/// The members of a snapshot that say what went wrong, by kind of resource.
fn telling(kind: ResourceKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        ResourceKind::Session => &[
            ("title", "/title"),
            ("agent", "/agent/name"),
            ("agent_id", "/agent/id"),
            ("status", "/status"),
            ("deployment_id", "/deployment_id"),
            ("budget", "/budget"),
            ("spent", "/usage/list_cost"),
        ],
        ResourceKind::VaultCredential => &[
            ("name", "/display_name"),
            ("vault_id", "/vault_id"),
            ("mcp_server_url", "/auth/mcp_server_url"),
            ("expires_at", "/auth/expires_at"),
        ],
        ResourceKind::Deployment => &[
            ("name", "/name"),
            ("status", "/status"),
            ("paused_reason", "/paused_reason"),
            ("agent_id", "/agent/id"),
        ],
        ResourceKind::DeploymentRun => {
            &[("deployment_id", "/deployment_id"), ("error", "/error"), ("trigger", "/trigger_context")]
        }
        ResourceKind::Message => &[("model", "/model"), ("moderation_results", "/moderation_results")],
        ResourceKind::SessionThread
        | ResourceKind::Vault
        | ResourceKind::Agent
        | ResourceKind::Environment
        | ResourceKind::MemoryStore
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile => &[("name", "/name"), ("status", "/status")],
    }
}

/// What is stored of the resource, as far as it tells something. Of a message that was denied, never the text.
fn stored(effect: &DueEffect, state: &ResourceState) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("reason".to_owned(), json!(effect.detail));
    if let Some(parent) = &effect.resource.parent_id {
        details.insert("parent_id".to_owned(), json!(parent));
    }
    let Some(snapshot) = &state.snapshot else { return details };
    let Ok(body) = serde_json::from_str::<Value>(&snapshot.body) else { return details };
    for (name, pointer) in telling(effect.resource.kind) {
        if let Some(value) = body.pointer(pointer).filter(|value| !value.is_null()) {
            details.insert((*name).to_owned(), without_texts(value));
        }
    }
    details.insert("fetched_at".to_owned(), json!(snapshot.fetched_at));
    details
}

/// Moderation results repeat the denied text in `input`; sinks are no place for it.
fn without_texts(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(without_texts).collect()),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, _)| name.as_str() != "input")
                .map(|(name, value)| (name.clone(), without_texts(value)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
