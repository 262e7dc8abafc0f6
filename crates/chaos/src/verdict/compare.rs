//! What events call for, against what is recorded. No I/O.

use crate::load::{About, Calls, SentEvent};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An effect: resource, kind and key.
type Effect = (String, String, String);

/// What Postgres has.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Status by event.
    pub(super) statuses: BTreeMap<String, String>,
    /// Events in histories.
    pub(super) history: Vec<String>,
    pub(super) effects: Vec<Effect>,
}

/// What is wrong, each described.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) lost: Vec<String>,
    pub(super) doubled: Vec<String>,
}

/// Compares. `waiting` are the tool uses that each session waits for all the time.
pub(super) fn compare(
    sent: &HashMap<String, SentEvent>,
    acknowledged: &HashSet<String>,
    waiting: &BTreeMap<String, BTreeSet<String>>,
    stored: &Stored,
) -> Compared {
    let mut compared = Compared::default();
    for id in acknowledged {
        match stored.statuses.get(id).map(String::as_str) {
            None => compared.lost.push(format!("{id} is not stored")),
            Some("pending") => compared.lost.push(format!("{id} is not finished")),
            Some(_) => {}
        }
    }
    let mut history = BTreeSet::new();
    let mut effects: BTreeSet<Effect> = BTreeSet::new();
    for (id, status) in &stored.statuses {
        let Some(event) = sent.get(id) else {
            compared.doubled.push(format!("{id} was never sent"));
            continue;
        };
        match (status.as_str(), event.about) {
            ("ignored", About::Session | About::Message) => {
                compared.lost.push(format!("{id} was ignored"));
            }
            ("applied" | "superseded", _) => {
                history.insert(id.as_str());
                effects.extend(called_for(event, waiting));
            }
            _ => {}
        }
    }
    check("history of", stored.history.iter().map(String::as_str), &history, &mut compared);
    let recorded: Vec<String> = stored.effects.iter().map(described).collect();
    let wanted: Vec<String> = effects.iter().map(described).collect();
    let wanted = wanted.iter().map(String::as_str).collect();
    check("effect", recorded.iter().map(String::as_str), &wanted, &mut compared);
    compared
}

fn called_for(event: &SentEvent, waiting: &BTreeMap<String, BTreeSet<String>>) -> Vec<Effect> {
    let effect = |kind: &str, key: &str| (event.resource.clone(), kind.to_owned(), key.to_owned());
    let mut effects = match event.calls {
        Calls::Nothing => Vec::new(),
        Calls::Alert => vec![effect("alert", &event.id)],
        Calls::Archive => vec![effect("archive", &event.id)],
    };
    // Every look at a session shows what it waits for.
    let tools = waiting.get(&event.resource).into_iter().flatten();
    effects.extend(tools.map(|tool| effect("review", tool)));
    effects
}

fn described((resource, kind, key): &Effect) -> String {
    format!("{kind} {key} of {resource}")
}

/// Each wanted thing must be recorded once, and nothing else.
fn check<'a>(
    what: &str,
    recorded: impl Iterator<Item = &'a str>,
    wanted: &BTreeSet<&str>,
    compared: &mut Compared,
) {
    let mut seen = BTreeSet::new();
    for thing in recorded {
        if !wanted.contains(thing) || !seen.insert(thing) {
            compared.doubled.push(format!("{what} {thing}"));
        }
    }
    compared.lost.extend(wanted.difference(&seen).map(|thing| format!("{what} {thing}")));
}

#[cfg(test)]
mod tests;
