//! What an event, and what was seen of its resource, do to what is stored.
//!
//! | stored | event | seen | outcome |
//! | --- | --- | --- | --- |
//! | anything older | newer | snapshot | applied |
//! | anything newer | older | snapshot | superseded: history at its place; the snapshot still counts if it is newer |
//! | anything | deletion | – | applied; a tombstone for ever |
//! | tombstone | anything | – | superseded |
//! | no tombstone | anything | gone | a failed try of class `gone`: the deletion may be on its way, or the creation |
//! | older | newer, of a kind without an API | – | applied, without a snapshot |
//!
//! Reviews follow from the newest *snapshot* and not from the event that led to it: whichever of several events
//! arrives first, the same tool uses end up waiting for the same people.

use crate::alerting;
use crate::event::{Event, Order};
use crate::failure::FailureClass;
use crate::rules::{Consequence, Rule};
use crate::state::{Observation, ResourceState, Snapshot, SnapshotSource};
use crate::status::EventStatus;
use serde::{Deserialize, Serialize};

/// What becomes of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was the newest of its resource.
    Applied,
    /// A newer one had been applied before.
    Superseded,
    /// Nothing is known to follow from it.
    Ignored,
}

impl Outcome {
    /// The final status that the outcome gives the event.
    #[must_use]
    pub const fn status(self) -> EventStatus {
        match self {
            Self::Applied => EventStatus::Applied,
            Self::Superseded => EventStatus::Superseded,
            Self::Ignored => EventStatus::Ignored,
        }
    }
}

/// What is to be done outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// Tell a person; keyed by what is the cause: the session's idle event where there is one, else the event.
    Alert,
    /// A tool use waits for an answer; keyed by the tool-use event.
    Review,
    /// The session is over; its transcript is to be kept. Keyed by the event that closed it.
    Archive,
}

impl EffectKind {
    /// The name under which the kind is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Review => "review",
            Self::Archive => "archive",
        }
    }
}

/// Whether an effect is still wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is to be carried out.
    Due,
    /// A newer state has overtaken it; it stays on record and is not carried out.
    Obsolete,
}

impl Standing {
    /// The name under which the standing is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Obsolete => "obsolete",
        }
    }
}

/// One thing to be done, once: kind and key are unique within the resource. Recorded again, an effect that was not
/// carried out yet takes the new standing: a newer snapshot may name a tool use that one in between did not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Effect {
    /// What.
    pub kind: EffectKind,
    /// Its natural key.
    pub key: String,
    /// Whether it is still wanted.
    pub standing: Standing,
    /// For people: what it is about.
    pub detail: String,
}

/// Which effects of the resource, recorded earlier and not carried out yet, have lost their cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overtaken {
    /// None.
    Nothing,
    /// The reviews of all tool uses but these.
    ReviewsExcept(Vec<String>),
    /// All reviews and the archiving: the resource is deleted.
    AllButAlerts,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of the event.
    pub outcome: Outcome,
    /// The resource's new state.
    pub state: ResourceState,
    /// The event's place in the resource's history; `None` for ignored events.
    pub history: Option<Order>,
    /// What is to be done.
    pub effects: Vec<Effect>,
    /// What is not to be done any more.
    pub overtaken: Overtaken,
}

/// Decides what `event` does to `stored`, given what was `seen`.
///
/// # Errors
/// [`FailureClass::Gone`] when the resource is not there and nothing says that it was deleted.
pub fn decide(
    stored: &ResourceState,
    event: &Event,
    rule: &Rule,
    seen: &Observation,
) -> Result<Decision, FailureClass> {
    let deletes = rule.consequence == Consequence::Deletes;
    let was_deleted = stored.deleted_at.is_some();
    if *seen == Observation::Gone && !was_deleted && !deletes {
        return Err(FailureClass::Gone);
    }

    let order = event.order();
    let newest = stored.last_event.as_ref().is_none_or(|last| order >= *last);
    let mut state = stored.clone();
    if newest {
        state.last_event = Some(order.clone());
    }
    if deletes {
        state.deleted_at = state.deleted_at.max(Some(event.created_at));
    }
    if let Some(snapshot) = seen.snapshot()
        && takes_over(snapshot, state.snapshot.as_ref(), newest)
    {
        state.snapshot = Some(snapshot.clone());
    }

    let outcome = if deletes || (newest && !was_deleted) { Outcome::Applied } else { Outcome::Superseded };
    let effects = effects(event, rule, seen, &state);
    let overtaken = overtaken(&state);
    Ok(Decision { outcome, state, history: Some(order), effects, overtaken })
}

/// A payload has no clock of its own but its event's, so it counts when its event does.
fn takes_over(seen: &Snapshot, stored: Option<&Snapshot>, newest: bool) -> bool {
    match seen.source {
        SnapshotSource::Payload => newest,
        SnapshotSource::Api => stored.is_none_or(|stored| seen.replaces(stored)),
    }
}

fn effects(event: &Event, rule: &Rule, seen: &Observation, state: &ResourceState) -> Vec<Effect> {
    let mut effects = Vec::new();
    match rule.consequence {
        Consequence::State | Consequence::Deletes => {}
        Consequence::Alert => effects.push(alerting::of_event(event, rule, seen)),
        Consequence::Closes => effects.push(Effect {
            kind: EffectKind::Archive,
            // Whoever fetches finishes all that were recorded before; what closes the session again later needs another fetch.
            key: event.id.as_str().to_owned(),
            standing: if state.deleted_at.is_some() { Standing::Obsolete } else { Standing::Due },
            detail: "session closed".to_owned(),
        }),
    }
    if let Some(snapshot) = seen.snapshot() {
        // An event that alerts may be about the very same thing.
        let bad_end = alerting::of_snapshot(rule.resource, snapshot);
        effects.extend(bad_end.filter(|end| effects.iter().all(|known| known.key != end.key)));
        effects.extend(reviews(snapshot, state));
    }
    effects
}

/// A review per tool use that waited when `snapshot` was taken; those that the newest snapshot no longer names are
/// on record as obsolete, so that the record is the same in whatever order the snapshots came.
fn reviews(snapshot: &Snapshot, state: &ResourceState) -> Vec<Effect> {
    let wanted = open_reviews(state);
    snapshot
        .blocking_event_ids()
        .unwrap_or_default()
        .iter()
        .map(|id| Effect {
            kind: EffectKind::Review,
            key: id.clone(),
            standing: match wanted {
                Some(open) if !open.contains(id) => Standing::Obsolete,
                Some(_) | None => Standing::Due,
            },
            detail: "tool use waits for an answer".to_owned(),
        })
        .collect()
}

fn open_reviews(state: &ResourceState) -> Option<&[String]> {
    if state.deleted_at.is_some() {
        return Some(&[]);
    }
    state.snapshot.as_ref().and_then(Snapshot::blocking_event_ids)
}

fn overtaken(state: &ResourceState) -> Overtaken {
    if state.deleted_at.is_some() {
        Overtaken::AllButAlerts
    } else {
        open_reviews(state).map_or(Overtaken::Nothing, |open| Overtaken::ReviewsExcept(open.to_vec()))
    }
}

#[cfg(test)]
mod tests;
