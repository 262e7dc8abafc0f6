//! The alerts that events and snapshots call for, and the keys that make two of them one.
//!
//! A session that goes idle for a bad reason is told of by several events (`session.budget_reached` and
//! `session.status_idled`), and any of them may never be delivered. So such an alert is keyed by the session's own idle
//! event, which all of them lead to, and its detail is the reason that stands there. Only where no idle event explains an
//! event that alerts, the key is the event.
//!
//! The detail of an alert begins with one word, an event type or a reason; what follows after a colon is for people.

#[cfg(test)]
mod tests;

use crate::decide::{Effect, EffectKind, Standing};
use crate::event::Event;
use crate::message::Message;
use crate::resource::ResourceKind;
use crate::rules::Rule;
use crate::state::{Idle, Observation, Snapshot};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// Reasons for which a turn ended that a person should know of.
const BAD_ENDS: [&str; 3] = ["retries_exhausted", "refusal", "budget_reached"];

/// Events have whole seconds and may tell of something a moment later. An idle event that is farther away was another time.
const SAME_TIME: TimeDelta = TimeDelta::seconds(60);

/// Details are kept up to this length, in characters: the platform's texts are as long as it likes.
const LONGEST_DETAIL: usize = 500;

/// The alert that an event calls for.
pub(crate) fn of_event(event: &Event, rule: &Rule, seen: &Observation) -> Effect {
    if let Some(idle) = idle_behind(event, seen) {
        return alert(&idle.event_id, &idle.reason, None);
    }
    let event_type = event.event_type.as_str();
    if let Some(snapshot) = seen.snapshot()
        && event_type == "session.status_error"
        && let Some(end) = of_snapshot(rule.resource, snapshot)
    {
        return end;
    }
    let note = seen.explanation().and_then(|explanation| explanation.note.clone());
    let note = note.or_else(|| said_by(rule.resource, seen.snapshot()?));
    alert(event.id.as_str(), event_type, note.as_deref())
}

/// The alert that a snapshot calls for, whichever event led to it.
pub(crate) fn of_snapshot(kind: ResourceKind, snapshot: &Snapshot) -> Option<Effect> {
    if let Some(waiting) = &snapshot.waiting {
        let is_bad = BAD_ENDS.contains(&waiting.reason.as_str());
        return is_bad.then(|| alert(&waiting.event_id, &waiting.reason, None));
    }
    // Archived sessions are terminated, too. What is terminated without that has failed for good.
    let has_failed = kind == ResourceKind::Session
        && snapshot.status.as_deref() == Some("terminated")
        && members(snapshot).is_some_and(|session| session.get("archived_at").is_some_and(Value::is_null));
    has_failed.then(|| alert("terminated", "session.status_error", Some("the session failed for good")))
}

fn alert(key: &str, word: &str, note: Option<&str>) -> Effect {
    let detail = note.map_or_else(|| word.to_owned(), |note| format!("{word}: {note}"));
    Effect {
        kind: EffectKind::Alert,
        key: key.to_owned(),
        standing: Standing::Due,
        // Postgres keeps no NUL in a text, and no text of others may break a line of ours.
        detail: detail.chars().filter(|c| !c.is_control()).take(LONGEST_DETAIL).collect(),
    }
}

/// The time that the session went idle of which an event tells: the one nearest to the event, else the one that lasts.
fn idle_behind(event: &Event, seen: &Observation) -> Option<Idle> {
    let reasons: &[&str] = match event.event_type.as_str() {
        "session.budget_reached" => &["budget_reached"],
        "session.status_error" => &["retries_exhausted", "refusal"],
        _ => return None,
    };
    let fits = |reason: &str| reasons.contains(&reason);
    let away = |at: DateTime<Utc>| (at - event.created_at).abs();
    let idles = seen.explanation().map(|explanation| explanation.idles.as_slice()).unwrap_or_default();
    let nearest = idles
        .iter()
        .filter(|idle| fits(&idle.reason) && away(idle.at) <= SAME_TIME)
        .min_by_key(|idle| away(idle.at));
    nearest.cloned().or_else(|| {
        let waiting = seen.snapshot()?.waiting.as_ref()?;
        fits(&waiting.reason).then(|| Idle {
            event_id: waiting.event_id.clone(),
            reason: waiting.reason.clone(),
            at: event.created_at,
        })
    })
}

/// What the resource itself says of why.
fn said_by(kind: ResourceKind, snapshot: &Snapshot) -> Option<String> {
    let members = members(snapshot)?;
    match kind {
        ResourceKind::Deployment => {
            let reason = members.get("paused_reason")?;
            let why = reason.pointer("/error/type").or_else(|| reason.get("type"))?;
            Some(why.as_str()?.to_owned())
        }
        ResourceKind::DeploymentRun => {
            let error = members.get("error")?;
            let kind = error.get("type")?.as_str()?;
            let message = error.get("message").and_then(Value::as_str);
            Some(message.map_or_else(|| kind.to_owned(), |message| format!("{kind}: {message}")))
        }
        ResourceKind::Message => Message::read(&snapshot.body).refusal(),
        ResourceKind::Session
        | ResourceKind::SessionThread
        | ResourceKind::Vault
        | ResourceKind::VaultCredential
        | ResourceKind::Agent
        | ResourceKind::Environment
        | ResourceKind::MemoryStore
        | ResourceKind::ExternalKey
        | ResourceKind::UserProfile => None,
    }
}

fn members(snapshot: &Snapshot) -> Option<Value> {
    serde_json::from_str(&snapshot.body).ok()
}
