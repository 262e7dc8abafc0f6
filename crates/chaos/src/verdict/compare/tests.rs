use super::{Compared, Stored, compare};
use crate::load::{About, Calls, SentEvent};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

fn event(id: &str, calls: Calls) -> SentEvent {
    let resource = "sesn_1".to_owned();
    SentEvent { id: id.to_owned(), about: About::Session, calls, resource, body: Bytes::new() }
}

/// Two events, of which the second alerts, both acknowledged; the session waits for one tool use.
fn judged(stored: &Stored) -> Compared {
    let sent: HashMap<String, SentEvent> =
        [event("a", Calls::Nothing), event("b", Calls::Alert)].map(|event| (event.id.clone(), event)).into();
    let acknowledged: HashSet<String> = sent.keys().cloned().collect();
    let waiting = BTreeMap::from([("sesn_1".to_owned(), BTreeSet::from(["tool".to_owned()]))]);
    compare(&sent, &acknowledged, &waiting, stored)
}

fn effect(kind: &str, key: &str) -> (String, String, String) {
    ("sesn_1".to_owned(), kind.to_owned(), key.to_owned())
}

fn right() -> Stored {
    Stored {
        statuses: [("a", "superseded"), ("b", "applied")]
            .map(|(id, is)| (id.to_owned(), is.to_owned()))
            .into(),
        history: vec!["a".to_owned(), "b".to_owned()],
        effects: vec![effect("alert", "b"), effect("review", "tool")],
    }
}

#[test]
fn what_is_right_is_no_complaint() {
    assert_eq!(judged(&right()), Compared::default());
}

#[test]
fn an_acknowledged_event_that_is_not_stored_or_not_finished_is_lost() {
    let mut stored = right();
    stored.statuses.remove("a");
    stored.statuses.insert("b".to_owned(), "pending".to_owned());
    (stored.history, stored.effects) = (Vec::new(), Vec::new());
    let mut lost = judged(&stored).lost;
    lost.sort();
    assert_eq!(lost, ["a is not stored", "b is not finished"]);
}

#[test]
fn what_finished_events_call_for_must_be_there() {
    let mut stored = right();
    stored.history.pop();
    stored.effects.remove(0);
    assert_eq!(judged(&stored).lost, ["history of b", "effect alert b of sesn_1"]);
}

#[test]
fn what_is_there_twice_or_called_for_by_nothing_is_doubled() {
    let mut stored = right();
    stored.history.push("a".to_owned());
    stored.effects.extend([effect("alert", "a"), effect("review", "tool")]);
    stored.statuses.insert("ghost".to_owned(), "applied".to_owned());
    assert_eq!(
        judged(&stored).doubled,
        ["ghost was never sent", "history of a", "effect alert a of sesn_1", "effect review tool of sesn_1"]
    );
}
