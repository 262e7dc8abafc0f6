//! Whatever was never delivered: what is made up for it leads to where everything would have led.

use super::story;
use crate::decide::{EffectKind, Overtaken, Standing, decide};
use crate::envelope::parse;
use crate::event::Event;
use crate::gaps::{Entry, fill};
use crate::reconcile::{Held, Listed, Owner, body, id_of_change, id_of_transition, missed};
use crate::resource::{ResourceKind, ResourceRef};
use crate::rules::rule_for;
use crate::state::{Observation, ResourceState, Snapshot, SnapshotSource, Waiting};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn session() -> ResourceRef {
    ResourceRef { kind: ResourceKind::Session, id: "sesn_1".to_owned(), parent_id: None }
}

fn event(id: &str, event_type: &str, at: DateTime<Utc>) -> Event {
    let body = body(id, &session(), event_type, at, &Owner::default());
    parse(body.to_string().as_bytes()).unwrap()
}

/// The session as it is in the end, when everything is fetched.
fn in_the_end(status: &str, at: DateTime<Utc>) -> Snapshot {
    let waiting = Waiting {
        event_id: "sevt_last".to_owned(),
        reason: "requires_action".to_owned(),
        blocking_event_ids: vec!["sevt_ask".to_owned()],
    };
    Snapshot {
        body: "{}".to_owned(),
        status: Some(status.to_owned()),
        updated_at: Some(at),
        fetched_at: at + chrono::TimeDelta::minutes(1),
        source: SnapshotSource::Api,
        waiting: (status == "idle").then_some(waiting),
    }
}

/// What the store would hold.
#[derive(Debug, Default)]
struct Record {
    state: ResourceState,
    history: BTreeSet<(DateTime<Utc>, u8, String, String)>,
    effects: BTreeMap<(EffectKind, String), (Standing, String)>,
}

impl Record {
    fn take(&mut self, event: &Event, seen: &Snapshot) {
        let rule = rule_for(event.event_type.as_str()).unwrap();
        let decision = decide(&self.state, event, rule, &Observation::Found(seen.clone())).unwrap();
        self.state = decision.state;
        let place = decision.history.map(|order| {
            (order.created_at, order.rank, event.event_type.to_string(), order.event_id.to_string())
        });
        self.history.extend(place);
        for effect in decision.effects {
            self.effects.insert((effect.kind, effect.key), (effect.standing, effect.detail));
        }
        if let Overtaken::ReviewsExcept(open) = decision.overtaken {
            for ((kind, key), (standing, _)) in &mut self.effects {
                if *kind == EffectKind::Review && !open.contains(key) {
                    *standing = Standing::Obsolete;
                }
            }
        }
    }

    /// Without what tells one delivery from another: the ids of events, which are the keys of some effects.
    fn essence(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let mut history: Vec<_> =
            self.history.iter().map(|(at, rank, kind, _)| (*at, *rank, kind.clone())).collect();
        history.sort();
        let mut effects: Vec<_> = self
            .effects
            .iter()
            .map(|((kind, key), (standing, detail))| {
                (*kind, (*kind == EffectKind::Review).then(|| key.clone()), *standing, detail.clone())
            })
            .collect();
        effects.sort();
        let last = self.state.last_event.as_ref().map(|last| (last.created_at, last.rank));
        (self.state.snapshot.clone(), last, history, effects)
    }

    /// The history as the store gives it.
    fn entries(&self) -> Vec<Entry> {
        let entry = |(at, _, kind, _): &(DateTime<Utc>, u8, String, String)| Entry {
            event_type: kind.clone(),
            thread: None,
            created_at: *at,
        };
        self.history.iter().map(entry).collect()
    }

    fn held(&self) -> Option<Held> {
        let snapshot = self.state.snapshot.as_ref()?;
        Some(Held {
            status: snapshot.status.clone(),
            updated_at: snapshot.updated_at,
            fetched_at: Some(snapshot.fetched_at),
            deleted: false,
        })
    }
}

proptest! {
    #[test]
    fn any_deliveries_may_be_dropped(
        story in story::told(),
        kept in proptest::collection::vec(any::<bool>(), 0..64),
    ) {
        let (listed, told) = story;
        let last = listed.last().map(|transition| transition.at).unwrap();
        let ended = listed.iter().any(|transition| transition.kind == "session.status_terminated");
        let seen = in_the_end(if ended { "terminated" } else { "idle" }, last);
        let told = told.iter().filter(|entry| entry.thread.is_none());
        let deliveries: Vec<Event> = told
            .enumerate()
            .map(|(n, entry)| event(&format!("whe_{n}"), &entry.event_type, entry.created_at))
            .collect();

        let (mut whole, mut lossy) = (Record::default(), Record::default());
        for (n, delivery) in deliveries.iter().enumerate() {
            whole.take(delivery, &seen);
            if kept.get(n).copied().unwrap_or(true) {
                lossy.take(delivery, &seen);
            }
        }
        let listing = Listed {
            resource: session(),
            status: seen.status.clone(),
            created_at: listed.first().map(|transition| transition.at),
            updated_at: seen.updated_at,
            archived_at: None,
        };
        // What the reconciler does with a session: its own list first, the difference only where that explains nothing.
        let own = |lost: &crate::gaps::Lost| lost.resource.kind == ResourceKind::Session;
        let lost: Vec<_> = fill("sesn_1", &lossy.entries(), &listed).into_iter().filter(own).collect();
        for lost in &lost {
            let id = id_of_transition(&lost.resource, lost.event_type, &lost.listed);
            lossy.take(&event(&id, lost.event_type, lost.at), &seen);
        }
        if lost.is_empty() {
            for missed in missed(lossy.held().as_ref(), &listing) {
                let id = id_of_change(&session(), &missed);
                lossy.take(&event(&id, missed.event_type, missed.at), &seen);
            }
        }
        prop_assert_eq!(lossy.essence(), whole.essence());
        prop_assert_eq!(missed(lossy.held().as_ref(), &listing), vec![]);
    }
}
