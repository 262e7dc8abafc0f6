use super::*;
use crate::decide::decide;
use crate::envelope::parse;
use crate::rules::rule_for;
use crate::state::{Explanation, ResourceState, SnapshotSource, Waiting};
use serde_json::json;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_568_800 + seconds, 0).unwrap()
}

fn event(id: &str, event_type: &str, seconds: i64) -> Event {
    let body = json!({"type": "event", "id": id, "created_at": at(seconds).to_rfc3339(),
        "data": {"type": event_type, "id": "x_1"}});
    parse(body.to_string().as_bytes()).unwrap()
}

fn snapshot(status: &str, body: &Value) -> Snapshot {
    Snapshot {
        body: body.to_string(),
        status: Some(status.to_owned()),
        updated_at: None,
        fetched_at: at(100),
        source: SnapshotSource::Api,
        waiting: None,
    }
}

fn idle(event_id: &str, reason: &str) -> Snapshot {
    let waiting =
        Waiting { event_id: event_id.to_owned(), reason: reason.to_owned(), blocking_event_ids: Vec::new() };
    Snapshot { waiting: Some(waiting), ..snapshot("idle", &json!({})) }
}

/// Keys and details of the alerts that an event leads to.
fn alerts(event: &Event, seen: &Observation) -> Vec<(String, String)> {
    let rule = rule_for(event.event_type.as_str()).unwrap();
    let decision = decide(&ResourceState::default(), event, rule, seen).unwrap();
    let alerts = decision.effects.into_iter().filter(|effect| effect.kind == EffectKind::Alert);
    alerts.map(|effect| (effect.key, effect.detail)).collect()
}

fn one(key: &str, detail: &str) -> Vec<(String, String)> {
    vec![(key.to_owned(), detail.to_owned())]
}

#[test]
fn a_used_up_budget_is_one_alert_whichever_of_its_events_is_delivered() {
    let seen = idle("sevt_9", "budget_reached");
    let expected = one("sevt_9", "budget_reached");
    let budget = event("whe_1", "session.budget_reached", 1);
    assert_eq!(alerts(&budget, &Observation::Found(seen.clone())), expected);
    assert_eq!(alerts(&budget, &Observation::Explained(seen.clone(), Explanation::default())), expected);
    assert_eq!(alerts(&event("whe_2", "session.status_idled", 1), &Observation::Found(seen)), expected);
}

#[test]
fn it_is_the_same_alert_when_the_session_has_gone_on_since() {
    let idles = |at: DateTime<Utc>| Explanation {
        idles: vec![
            Idle { event_id: "sevt_11".to_owned(), reason: "budget_reached".to_owned(), at: at + SAME_TIME },
            Idle { event_id: "sevt_10".to_owned(), reason: "end_turn".to_owned(), at },
            Idle { event_id: "sevt_9".to_owned(), reason: "budget_reached".to_owned(), at },
        ],
        note: None,
    };
    let budget = event("whe_1", "session.budget_reached", 1);
    let running = snapshot("running", &json!({}));
    let seen = Observation::Explained(running.clone(), idles(at(2)));
    assert_eq!(alerts(&budget, &seen), one("sevt_9", "budget_reached"));
    // Another time, long before: this one is explained by nothing.
    let seen = Observation::Explained(running, idles(at(-1_000)));
    assert_eq!(alerts(&budget, &seen), one("whe_1", "session.budget_reached"));
}

#[test]
fn an_event_that_no_idle_event_explains_alerts_by_itself() {
    let budget = event("whe_1", "session.budget_reached", 1);
    let expected = one("whe_1", "session.budget_reached");
    // A pending question outranks the budget.
    assert_eq!(alerts(&budget, &Observation::Found(idle("sevt_9", "requires_action"))), expected);
    assert_eq!(alerts(&budget, &Observation::NotFetched), expected);
}

#[test]
fn an_error_is_one_alert_with_the_end_that_it_led_to() {
    let error = event("whe_1", "session.status_error", 1);
    let exhausted = Observation::Found(idle("sevt_9", "retries_exhausted"));
    assert_eq!(alerts(&error, &exhausted), one("sevt_9", "retries_exhausted"));
    let failed = snapshot("terminated", &json!({"archived_at": null}));
    let expected = one("terminated", "session.status_error: the session failed for good");
    assert_eq!(alerts(&error, &Observation::Found(failed.clone())), expected);
    let ended = event("whe_2", "session.status_terminated", 1);
    assert_eq!(alerts(&ended, &Observation::Found(failed)), expected);
    let running = Observation::Found(snapshot("running", &json!({})));
    assert_eq!(alerts(&error, &running), one("whe_1", "session.status_error"));
}

#[test]
fn an_archived_session_is_terminated_and_nobody_is_told() {
    let archived = snapshot("terminated", &json!({"archived_at": "2026-03-15T10:00:00Z"}));
    assert_eq!(alerts(&event("whe_1", "session.status_terminated", 1), &Observation::Found(archived)), []);
    // A thread that ended is no news for a person.
    let thread = snapshot("terminated", &json!({"archived_at": null}));
    assert_eq!(of_snapshot(ResourceKind::SessionThread, &thread), None);
}

#[test]
fn an_alert_says_what_the_resource_says_of_why() {
    let told = |event_type: &str, status: &str, body: Value| {
        let found = alerts(&event("whe_1", event_type, 1), &Observation::Found(snapshot(status, &body)));
        found.into_iter().map(|(_, detail)| detail).next().unwrap()
    };
    let error = json!({"type": "error", "error": {"type": "agent_archived_error"}});
    assert_eq!(
        told("deployment.paused", "paused", json!({"paused_reason": error})),
        "deployment.paused: agent_archived_error"
    );
    assert_eq!(
        told("deployment.paused", "paused", json!({"paused_reason": {"type": "manual"}})),
        "deployment.paused: manual"
    );
    assert_eq!(told("deployment.paused", "active", json!({"paused_reason": null})), "deployment.paused");
    let error = json!({"type": "unknown_error", "message": "No\nreason\0 known."});
    assert_eq!(
        told("deployment_run.failed", "failed", json!({"error": error})),
        "deployment_run.failed: unknown_error: Noreason known."
    );
    let results = json!([
        {"blocked_categories": ["sexual", "violence"], "level": "high"},
        {"blocked_categories": []},
        {"blocked_categories": ["self_harm"]},
    ]);
    assert_eq!(
        told("content_moderation.denied", "denied", json!({"moderation_results": results})),
        "content_moderation.denied: sexual, violence, self_harm (level high)"
    );
    assert_eq!(told("content_moderation.denied", "denied", json!(7)), "content_moderation.denied");
}

#[test]
fn what_a_probe_found_stands_in_the_alert() {
    let explanation = Explanation { idles: Vec::new(), note: Some("x".repeat(10_000)) };
    let seen = Observation::Explained(snapshot("active", &json!({})), explanation);
    let found = alerts(&event("whe_1", "vault_credential.refresh_failed", 1), &seen);
    assert!(found[0].1.starts_with("vault_credential.refresh_failed: xxx"));
    assert_eq!(found[0].1.chars().count(), LONGEST_DETAIL);
}
