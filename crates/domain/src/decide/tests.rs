use super::*;
use crate::envelope::parse;
use crate::rules::rule_for;
use crate::state::Waiting;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_568_800 + seconds, 0).unwrap()
}

fn event(id: &str, event_type: &str, seconds: i64) -> Event {
    let body = serde_json::json!({"type": "event", "id": id, "created_at": at(seconds).to_rfc3339(),
        "data": {"type": event_type, "id": "sesn_1"}});
    parse(body.to_string().as_bytes()).unwrap()
}

fn snapshot(status: &str, updated: i64, fetched: i64, blocking: &[&str]) -> Snapshot {
    Snapshot {
        body: format!("{{\"status\":\"{status}\",\"n\":{fetched}}}"),
        status: Some(status.to_owned()),
        updated_at: Some(at(updated)),
        fetched_at: at(fetched),
        source: SnapshotSource::Api,
        waiting: (status == "idle").then(|| Waiting {
            event_id: format!("sevt_idle_{updated}"),
            reason: if blocking.is_empty() { "end_turn" } else { "requires_action" }.to_owned(),
            blocking_event_ids: blocking.iter().map(ToString::to_string).collect(),
        }),
    }
}

fn decided(stored: &ResourceState, event: &Event, seen: &Observation) -> Decision {
    decide(stored, event, rule_for(event.event_type.as_str()).unwrap(), seen).unwrap()
}

/// What the store would hold after a number of decisions.
#[derive(Debug, Default, PartialEq, Eq)]
struct Record {
    state: ResourceState,
    history: BTreeSet<Order>,
    effects: BTreeMap<(EffectKind, String), (Standing, String)>,
}

impl Record {
    fn take(&mut self, event: &Event, seen: &Observation) {
        let decision = decided(&self.state, event, seen);
        self.state = decision.state;
        self.history.extend(decision.history);
        for effect in decision.effects {
            self.effects.insert((effect.kind, effect.key), (effect.standing, effect.detail));
        }
        for ((kind, key), (standing, _)) in &mut self.effects {
            let lost = match &decision.overtaken {
                Overtaken::Nothing => false,
                Overtaken::ReviewsExcept(open) => *kind == EffectKind::Review && !open.contains(key),
                Overtaken::AllButAlerts => *kind != EffectKind::Alert,
            };
            if lost {
                *standing = Standing::Obsolete;
            }
        }
    }
}

#[test]
fn an_older_event_stands_in_history_and_changes_nothing() {
    let mut record = Record::default();
    record.take(&event("b", "session.status_idled", 10), &Observation::Found(snapshot("idle", 10, 11, &[])));
    let before = record.state.clone();
    let older = event("a", "session.status_run_started", 5);
    let decision = decided(&record.state, &older, &Observation::Found(snapshot("idle", 10, 11, &[])));
    assert_eq!(decision.outcome, Outcome::Superseded);
    assert_eq!(decision.state, before);
    assert_eq!(decision.history, Some(older.order()));
}

#[test]
fn within_one_second_the_later_step_of_the_lifecycle_is_the_later_event() {
    let run = event("z", "session.status_run_started", 0).order();
    let idle = event("a", "session.status_idled", 0).order();
    assert!(run < idle);
}

#[test]
fn a_late_event_with_a_newer_snapshot_still_renews_the_snapshot() {
    let mut record = Record::default();
    record.take(&event("b", "session.status_idled", 10), &Observation::Found(snapshot("idle", 10, 11, &[])));
    record.take(&event("a", "session.updated", 5), &Observation::Found(snapshot("running", 12, 13, &[])));
    assert_eq!(record.state.status(), Some("running"));
    assert_eq!(record.state.last_event.unwrap().event_id.as_str(), "b");
}

#[test]
fn a_snapshot_that_does_not_say_when_it_changed_is_as_new_as_its_fetch() {
    let seen = |updated, fetched| Snapshot { updated_at: updated, ..snapshot("running", 0, fetched, &[]) };
    let (old, silent, new) = (seen(Some(at(5)), 6), seen(None, 10), seen(Some(at(12)), 13));
    assert!(silent.replaces(&old) && !old.replaces(&silent), "else an old state would stand for ever");
    assert!(new.replaces(&silent) && !silent.replaces(&new));
    assert!(seen(None, 11).replaces(&silent) && !silent.replaces(&seen(None, 11)));
}

#[test]
fn nothing_undeletes() {
    let mut record = Record::default();
    record.take(&event("d", "session.deleted", 5), &Observation::NotFetched);
    assert_eq!(record.state.status(), Some("deleted"));
    let later = event("e", "session.status_run_started", 9);
    let decision = decided(&record.state, &later, &Observation::Gone);
    assert_eq!(decision.outcome, Outcome::Superseded);
    assert_eq!(decision.state.status(), Some("deleted"));
}

#[test]
fn a_missing_resource_is_a_failure_until_its_deletion_is_known() {
    let idle = event("a", "session.status_idled", 1);
    let rule = rule_for("session.status_idled").unwrap();
    assert_eq!(decide(&ResourceState::default(), &idle, rule, &Observation::Gone), Err(FailureClass::Gone));
    let deleted = decided(&ResourceState::default(), &event("d", "session.deleted", 2), &Observation::Gone);
    assert_eq!(deleted.outcome, Outcome::Applied);
}

#[test]
fn reviews_close_when_the_session_moves_on() {
    let mut record = Record::default();
    let waiting = snapshot("idle", 10, 11, &["sevt_1", "sevt_2"]);
    record.take(&event("a", "session.status_idled", 10), &Observation::Found(waiting));
    let review = |record: &Record, id: &str| record.effects[&(EffectKind::Review, id.to_owned())].0;
    assert_eq!(review(&record, "sevt_1"), Standing::Due);
    let partly = snapshot("idle", 12, 13, &["sevt_2"]);
    record.take(&event("b", "session.status_idled", 12), &Observation::Found(partly));
    assert_eq!(review(&record, "sevt_1"), Standing::Obsolete);
    assert_eq!(review(&record, "sevt_2"), Standing::Due);
    let running = snapshot("running", 14, 15, &[]);
    record.take(&event("c", "session.status_run_started", 14), &Observation::Found(running));
    assert_eq!(review(&record, "sevt_2"), Standing::Obsolete);
}

#[test]
fn an_unknown_reason_closes_no_review() {
    let mut record = Record::default();
    let waiting = snapshot("idle", 10, 11, &["sevt_1"]);
    record.take(&event("a", "session.status_idled", 10), &Observation::Found(waiting));
    let mut unknown = snapshot("idle", 12, 13, &[]);
    unknown.waiting = None;
    record.take(&event("b", "session.updated", 12), &Observation::Found(unknown));
    assert_eq!(record.effects[&(EffectKind::Review, "sevt_1".to_owned())].0, Standing::Due);
}

#[test]
fn a_turn_that_ends_badly_alerts_once_however_many_events_tell_of_it() {
    let mut bad = snapshot("idle", 10, 11, &[]);
    bad.waiting.as_mut().unwrap().reason = "retries_exhausted".to_owned();
    let mut record = Record::default();
    record.take(&event("a", "session.status_idled", 10), &Observation::Found(bad.clone()));
    record.take(&event("b", "session.updated", 11), &Observation::Found(bad));
    assert_eq!(record.effects.len(), 1);
}

#[test]
fn the_newest_classic_payload_is_the_snapshot() {
    let message = |id: &str, kind: &str, seconds| {
        let body = serde_json::json!({"event_id": id, "type": kind, "created_at": at(seconds).timestamp(), "data": {"id": "msg_1"}});
        parse(body.to_string().as_bytes()).unwrap()
    };
    let payload = |status: &str| {
        let mut snapshot = snapshot(status, 0, 0, &[]);
        (snapshot.source, snapshot.updated_at, snapshot.waiting) = (SnapshotSource::Payload, None, None);
        Observation::Found(snapshot)
    };
    let denied = message("b", "content_moderation.denied", 3);
    let created = message("a", "message.created", 3);
    for order in [[0, 1], [1, 0]] {
        let mut record = Record::default();
        for step in order {
            if step == 0 {
                record.take(&created, &payload("created"));
            } else {
                record.take(&denied, &payload("denied"));
            }
        }
        assert_eq!(record.state.status(), Some("denied"), "{order:?}");
        assert_eq!(record.effects.len(), 1);
    }
}

#[test]
fn what_has_no_api_has_a_history_and_no_snapshot() {
    let mut record = Record::default();
    record.take(&event("b", "external_key.recovered", 5), &Observation::NotFetched);
    let failed = event("a", "external_key.failed", 1);
    let decision = decided(&record.state, &failed, &Observation::NotFetched);
    assert_eq!((decision.outcome, &decision.history), (Outcome::Superseded, &Some(failed.order())));
    record.take(&failed, &Observation::NotFetched);
    assert_eq!((record.history.len(), record.state.snapshot), (2, None));
    assert_eq!(record.state.last_event.unwrap().event_id.as_str(), "b");
}

#[test]
fn a_deletion_is_the_last_word_for_every_kind_wherever_it_stands_among_the_others() {
    for kind in ["vault", "vault_credential", "agent", "deployment", "environment", "memory_store", "session"]
    {
        let archived =
            (event("a", &format!("{kind}.archived"), 5), Observation::Found(snapshot("archived", 5, 6, &[])));
        let deleted = (event("d", &format!("{kind}.deleted"), 3), Observation::NotFetched);
        let first = told(&[archived.clone(), deleted.clone()]);
        assert_eq!(first.state.status(), Some("deleted"), "{kind}");
        assert_eq!(told(&[deleted, archived]), first, "{kind}");
        assert_eq!(first.history.len(), 2, "{kind}");
    }
}

fn story() -> impl Strategy<Value = Vec<(Event, Observation)>> {
    let types = prop::sample::select(vec![
        "session.created",
        "session.updated",
        "session.status_run_started",
        "session.status_idled",
        "session.budget_reached",
        "session.status_terminated",
        "session.archived",
        "session.deleted",
    ]);
    let seen = (
        prop::sample::select(vec!["running", "idle", "terminated"]),
        // Not every object says when it changed.
        prop::option::weighted(0.8, 0i64..4),
        prop::sample::subsequence(vec!["sevt_1", "sevt_2", "sevt_3"], 0..=3),
    );
    prop::collection::vec((types, 0i64..4, seen), 1..7).prop_map(|steps| {
        steps
            .into_iter()
            .enumerate()
            .map(|(n, (event_type, created, (status, updated, blocking)))| {
                // Each fetch begins at its own instant; several may report the same `updated_at`.
                let mut seen = snapshot(status, updated.unwrap_or_default(), 100, &blocking);
                seen.updated_at = updated.map(at);
                seen.fetched_at += TimeDelta::milliseconds(i64::try_from(n).unwrap());
                let seen = if event_type == "session.deleted" {
                    Observation::NotFetched
                } else {
                    Observation::Found(seen)
                };
                (event(&format!("whe_{n}"), event_type, created), seen)
            })
            .collect()
    })
}

fn told(story: &[(Event, Observation)]) -> Record {
    let mut record = Record::default();
    for (event, seen) in story {
        record.take(event, seen);
    }
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_order_and_no_repetition_changes_where_it_ends(
        (story, shuffled) in story().prop_flat_map(|story| {
            // Every event once, and any of them again, in any order.
            let repeated: Vec<_> = story.iter().chain(story.iter()).cloned().collect();
            let length = story.len();
            (Just(story), Just(repeated).prop_shuffle(), 0..=length).prop_map(|(story, mut shuffled, keep)| {
                let mut seen = BTreeSet::new();
                let mut extra = 0;
                shuffled.retain(|(event, _)| seen.insert(event.id.clone()) || { extra += 1; extra <= keep });
                (story, shuffled)
            })
        })
    ) {
        prop_assert_eq!(told(&story), told(&shuffled));
    }
}

#[test]
fn every_permutation_of_a_whole_life_ends_the_same() {
    let life = [
        ("session.created", 0, Observation::Found(snapshot("idle", 0, 1, &[]))),
        ("session.status_run_started", 1, Observation::Found(snapshot("running", 1, 2, &[]))),
        ("session.status_idled", 1, Observation::Found(snapshot("idle", 1, 3, &["sevt_1"]))),
        ("session.status_run_started", 2, Observation::Found(snapshot("running", 2, 4, &[]))),
        ("session.status_terminated", 3, Observation::Found(snapshot("terminated", 3, 5, &[]))),
        ("session.deleted", 3, Observation::NotFetched),
    ];
    let life: Vec<_> = life
        .into_iter()
        .enumerate()
        .map(|(n, (kind, s, seen))| (event(&format!("whe_{n}"), kind, s), seen))
        .collect();
    let expected = told(&life);
    let mut order: Vec<usize> = (0..life.len()).collect();
    let mut count = 0;
    permute(&mut order, 0, &mut |order| {
        let story: Vec<_> = order.iter().map(|&n| life[n].clone()).collect();
        assert_eq!(told(&story), expected, "{order:?}");
        count += 1;
    });
    assert_eq!(count, 720);
}

fn permute(order: &mut [usize], from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        visit(order);
        return;
    }
    for other in from..order.len() {
        order.swap(from, other);
        permute(order, from + 1, visit);
        order.swap(from, other);
    }
}
