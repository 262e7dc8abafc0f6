use super::*;
use crate::envelope::parse;
use crate::event::Dialect;
use crate::rules::rule_for;
use proptest::prelude::*;
use serde_json::json;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_568_800 + seconds, 0).unwrap()
}

fn resource(kind: ResourceKind) -> ResourceRef {
    let parent_id = parent_of(kind).map(str::to_owned);
    ResourceRef { kind, id: format!("{kind}_1"), parent_id }
}

fn parent_of(kind: ResourceKind) -> Option<&'static str> {
    if kind == ResourceKind::SessionThread {
        Some("sesn_1")
    } else {
        (kind == ResourceKind::VaultCredential).then_some("vlt_1")
    }
}

fn seen(kind: ResourceKind, status: &str, updated: i64) -> Listed {
    let archived_at = (status == "archived").then(|| at(updated));
    let (created_at, updated_at) = (Some(at(0)), Some(at(updated)));
    Listed { resource: resource(kind), status: Some(status.to_owned()), created_at, updated_at, archived_at }
}

fn held(status: &str, updated: i64) -> Held {
    Held { status: Some(status.to_owned()), updated_at: Some(at(updated)), fetched_at: None, deleted: false }
}

fn told(held: Option<&Held>, seen: &Listed) -> Vec<(&'static str, i64)> {
    let seconds = |missed: Missed| (missed.event_type, (missed.at - at(0)).num_seconds());
    missed(held, seen).into_iter().map(seconds).collect()
}

#[test]
fn what_was_missed_follows_from_what_is_held_and_what_is_seen() {
    use ResourceKind::*;
    /// Kind; held status and time; seen status and time; the events and their times.
    type Row =
        (ResourceKind, Option<(&'static str, i64)>, (&'static str, i64), &'static [(&'static str, i64)]);
    const TABLE: &[Row] = &[
        (Session, None, ("idle", 0), &[("session.created", 0)]),
        (Session, None, ("idle", 9), &[("session.status_idled", 9)]),
        (Session, None, ("running", 0), &[("session.status_run_started", 0)]),
        (Session, None, ("terminated", 9), &[("session.status_terminated", 9)]),
        (Session, Some(("idle", 5)), ("running", 9), &[("session.status_run_started", 9)]),
        (Session, Some(("running", 5)), ("idle", 9), &[("session.status_idled", 9)]),
        (Session, Some(("running", 5)), ("rescheduling", 9), &[("session.status_rescheduled", 9)]),
        (Session, Some(("idle", 5)), ("terminated", 9), &[("session.status_terminated", 9)]),
        (Session, Some(("idle", 5)), ("waiting_for_godot", 9), &[("session.updated", 9)]),
        (Session, Some(("idle", 5)), ("idle", 9), &[("session.updated", 9)]),
        (Session, Some(("idle", 5)), ("idle", 5), &[]),
        (Session, Some(("idle", 9)), ("idle", 5), &[]),
        (Session, Some(("running", 5)), ("running", 9), &[]),
        (SessionThread, None, ("running", 0), &[("session.thread_created", 0)]),
        (SessionThread, None, ("idle", 9), &[("session.thread_created", 0), ("session.thread_idled", 9)]),
        (SessionThread, Some(("idle", 5)), ("running", 9), &[]),
        (SessionThread, Some(("idle", 5)), ("idle", 9), &[("session.thread_idled", 9)]),
        (SessionThread, Some(("idle", 5)), ("terminated", 9), &[("session.thread_terminated", 9)]),
        (Vault, None, ("active", 0), &[("vault.created", 0)]),
        (Vault, None, ("archived", 9), &[("vault.created", 0), ("vault.archived", 9)]),
        (Vault, Some(("active", 0)), ("active", 9), &[]),
        (Vault, Some(("active", 0)), ("archived", 9), &[("vault.archived", 9)]),
        (VaultCredential, None, ("active", 9), &[("vault_credential.created", 0)]),
        (VaultCredential, Some(("active", 0)), ("archived", 9), &[("vault_credential.archived", 9)]),
        (Agent, None, ("active", 9), &[("agent.created", 0), ("agent.updated", 9)]),
        (Agent, Some(("active", 5)), ("active", 9), &[("agent.updated", 9)]),
        (Agent, Some(("active", 5)), ("archived", 9), &[("agent.archived", 9)]),
        (Environment, None, ("active", 0), &[("environment.created", 0)]),
        (Environment, Some(("active", 5)), ("active", 9), &[("environment.updated", 9)]),
        (Environment, Some(("active", 5)), ("archived", 9), &[("environment.archived", 9)]),
        (MemoryStore, None, ("active", 0), &[("memory_store.created", 0)]),
        (MemoryStore, Some(("active", 0)), ("active", 9), &[]),
        (MemoryStore, Some(("active", 0)), ("archived", 9), &[("memory_store.archived", 9)]),
        (Deployment, None, ("active", 0), &[("deployment.created", 0)]),
        (Deployment, None, ("active", 9), &[("deployment.created", 0), ("deployment.updated", 9)]),
        (Deployment, None, ("paused", 9), &[("deployment.created", 0), ("deployment.paused", 9)]),
        (Deployment, Some(("active", 5)), ("paused", 9), &[("deployment.paused", 9)]),
        (Deployment, Some(("paused", 5)), ("active", 9), &[("deployment.unpaused", 9)]),
        (Deployment, Some(("paused", 5)), ("paused", 9), &[("deployment.updated", 9)]),
        (Deployment, Some(("active", 5)), ("archived", 9), &[("deployment.archived", 9)]),
        (DeploymentRun, None, ("started", 0), &[("deployment_run.started", 0)]),
        (DeploymentRun, None, ("failed", 0), &[("deployment_run.started", 0), ("deployment_run.failed", 0)]),
        (DeploymentRun, Some(("started", 0)), ("succeeded", 0), &[("deployment_run.succeeded", 0)]),
        (DeploymentRun, Some(("failed", 0)), ("failed", 0), &[]),
        (ExternalKey, None, ("active", 0), &[]),
    ];
    for (kind, before, (status, updated), expected) in TABLE {
        let held = before.map(|(status, updated)| held(status, updated));
        assert_eq!(
            told(held.as_ref(), &seen(*kind, status, *updated)),
            *expected,
            "{kind}: {before:?}, then {status} at {updated}"
        );
    }
}

#[test]
fn what_is_deleted_stays_deleted_whatever_is_listed() {
    let deleted = Held { deleted: true, ..held("idle", 5) };
    assert_eq!(told(Some(&deleted), &seen(ResourceKind::Session, "running", 9)), []);
}

#[test]
fn a_resource_of_which_only_events_are_known_is_compared_like_an_unknown_one() {
    let rows = (Some(Held::default()), None);
    let seen = seen(ResourceKind::Session, "running", 9);
    assert_eq!(told(rows.0.as_ref(), &seen), told(rows.1, &seen));
}

#[test]
fn what_postgres_cannot_keep_of_a_time_is_no_difference() {
    let precise = at(5) + chrono::TimeDelta::nanoseconds(123_456_789);
    let listed = Listed { updated_at: Some(precise), ..seen(ResourceKind::Agent, "active", 0) };
    let held = Held { updated_at: Some(precise.trunc_subsecs(6)), ..held("active", 0) };
    assert_eq!(missed(Some(&held), &listed), []);
}

#[test]
fn every_type_that_can_be_missed_is_in_the_table_of_types_and_of_its_kind() {
    for kind in KINDS {
        for status in [
            "idle",
            "running",
            "rescheduling",
            "terminated",
            "active",
            "paused",
            "archived",
            "failed",
            "succeeded",
        ] {
            for before in [None, Some(held("started", 5)), Some(held(status, 5)), Some(held("paused", 5))] {
                for (event_type, _) in told(before.as_ref(), &seen(kind, status, 9)) {
                    assert_eq!(rule_for(event_type).map(|rule| rule.resource), Some(kind), "{event_type}");
                }
            }
        }
        if let Some(deletion) = deletion_of(kind) {
            assert_eq!(rule_for(deletion).map(|rule| rule.resource), Some(kind), "{deletion}");
        }
    }
}

#[test]
fn an_event_names_its_resource_as_a_delivered_one_would() {
    let owner =
        Owner { organization_id: Some("org_1".to_owned()), workspace_id: Some("wrkspc_1".to_owned()) };
    for (kind, event_type) in [
        (ResourceKind::Session, "session.status_idled"),
        (ResourceKind::SessionThread, "session.thread_idled"),
        (ResourceKind::VaultCredential, "vault_credential.archived"),
        (ResourceKind::Agent, "agent.updated"),
    ] {
        let resource = resource(kind);
        let happened = at(7) + chrono::TimeDelta::milliseconds(999);
        let id = id_of_change(&resource, &Missed::new(event_type, happened));
        let event = parse(body(&id, &resource, event_type, happened, &owner).to_string().as_bytes()).unwrap();
        assert_eq!(event.resource, Some(resource));
        assert_eq!(event.dialect, Dialect::Platform);
        assert_eq!((event.id.as_str(), event.event_type.as_str()), (id.as_str(), event_type));
        assert_eq!(event.created_at, at(7), "the platform's events have whole seconds");
        assert_eq!(event.organization_id.as_deref(), Some("org_1"));
        assert_eq!(event.workspace_id.as_deref(), Some("wrkspc_1"));
    }
}

#[test]
fn an_owner_that_is_not_known_is_not_named() {
    let resource = resource(ResourceKind::Session);
    let body = body("reconcile_1", &resource, "session.updated", at(0), &Owner::default());
    assert_eq!(body["data"], json!({ "type": "session.updated", "id": "session_1" }));
}

#[test]
fn the_id_of_a_change_depends_on_everything_that_makes_it_another_change() {
    let one = resource(ResourceKind::Session);
    let other = ResourceRef { id: "session_2".to_owned(), ..one.clone() };
    let ids = [
        id_of_change(&one, &Missed::new("session.updated", at(1))),
        id_of_change(&other, &Missed::new("session.updated", at(1))),
        id_of_change(&one, &Missed::new("session.status_idled", at(1))),
        id_of_change(&one, &Missed::new("session.updated", at(2))),
        id_of_transition(&one, "session.updated", "sevt_1"),
        id_of_transition(&one, "session.updated", "sevt_2"),
    ];
    let different: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
    assert!(ids.iter().all(|id| id.starts_with("reconcile_") && id.len() == 42), "{ids:?}");
    assert_eq!(ids[0], id_of_change(&one, &Missed::new("session.updated", at(1))));
}

proptest! {
    /// Once the last of the events was processed, its fetch has renewed the snapshot, and nothing differs any more.
    #[test]
    fn what_was_made_up_for_is_not_missed_again(
        kind in proptest::sample::select(KINDS.to_vec()),
        before in proptest::option::of((proptest::sample::select(vec!["idle", "running", "active", "paused", "started"]), 0..20_i64)),
        status in proptest::sample::select(vec!["idle", "running", "terminated", "active", "paused", "archived", "failed"]),
        updated in 0..20_i64,
    ) {
        let seen = seen(kind, status, updated);
        let before = before.map(|(status, updated)| held(status, updated));
        let after = Held { status: seen.status.clone(), updated_at: seen.updated_at, fetched_at: None, deleted: false };
        prop_assert_eq!(missed(Some(&after), &seen), vec![]);
        // In the order in which they happened.
        let times: Vec<_> = missed(before.as_ref(), &seen).into_iter().map(|missed| missed.at).collect();
        prop_assert!(times.is_sorted());
    }
}

#[test]
fn a_look_that_came_too_early_makes_another_event_and_one_that_came_late_does_not() {
    let seen = seen(ResourceKind::Session, "terminated", 60);
    let missed_after = |looked: Option<DateTime<Utc>>| {
        let held = Held { fetched_at: looked, ..held("idle", 5) };
        missed(Some(&held), &seen)
    };
    let changed = seen.changed_at().expect("it has a time");
    let ids: Vec<String> = [None, Some(changed), Some(changed + TimeDelta::minutes(5))]
        .into_iter()
        .map(|looked| id_of_change(&seen.resource, &missed_after(looked)[0]))
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    let late = missed_after(Some(changed + TimeDelta::days(1)));
    assert_eq!(id_of_change(&seen.resource, &late[0]), ids[0]);
}
