use super::{AlertKind, Cause, Fares, LaterEvent, Severity, failing, over, together};
use crate::state::{ResourceState, Snapshot, SnapshotSource, Waiting};
use chrono::{DateTime, TimeDelta, Utc};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn cause(idle_event: Option<&str>) -> Cause {
    Cause { idle_event: idle_event.map(str::to_owned), at: at(100) }
}

fn later(event_type: &str) -> Vec<LaterEvent> {
    vec![LaterEvent { event_type: event_type.to_owned(), created_at: at(101) }]
}

fn seen(status: &str, updated_at: i64, idle_event: Option<&str>) -> ResourceState {
    ResourceState {
        snapshot: Some(Snapshot {
            body: "{}".to_owned(),
            status: Some(status.to_owned()),
            updated_at: Some(at(updated_at)),
            fetched_at: at(updated_at + 1),
            source: SnapshotSource::Api,
            waiting: idle_event.map(|id| Waiting {
                event_id: id.to_owned(),
                reason: "refusal".to_owned(),
                blocking_event_ids: Vec::new(),
            }),
        }),
        ..ResourceState::default()
    }
}

#[test]
fn every_kind_and_severity_is_read_back_from_its_name() {
    for kind in AlertKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    for severity in Severity::ALL {
        assert_eq!(severity.as_str().parse(), Ok(severity));
    }
    assert!("nothing".parse::<AlertKind>().is_err());
    assert!(Severity::Info < Severity::Warning && Severity::Warning < Severity::Critical);
}

#[test]
fn what_a_detail_adds_for_people_does_not_change_the_kind() {
    assert_eq!(
        AlertKind::of_effect("content_moderation.denied: violence, hate"),
        AlertKind::ModerationDenied
    );
    assert_eq!(AlertKind::of_effect("session.budget_reached"), AlertKind::of_effect("budget_reached"));
    assert_eq!(AlertKind::of_effect("comet.landed"), AlertKind::EventReported);
}

#[test]
fn a_session_that_runs_again_ends_its_alerts() {
    for kind in [
        AlertKind::SessionBudgetReached,
        AlertKind::SessionError,
        AlertKind::SessionRefusal,
        AlertKind::SessionRetriesExhausted,
    ] {
        let nothing = ResourceState::default();
        assert!(over(kind, &cause(None), &nothing, &[]).is_none());
        assert!(over(kind, &cause(None), &nothing, &later("session.status_idled")).is_none());
        assert_eq!(
            over(kind, &cause(None), &nothing, &later("session.status_run_started")),
            Some("session.status_run_started".to_owned())
        );
        assert!(over(kind, &cause(None), &seen("running", 110, None), &[]).is_some());
    }
}

#[test]
fn within_one_second_what_closes_comes_after_the_cause_and_what_runs_before_it() {
    let same = |event_type: &str| vec![LaterEvent { event_type: event_type.to_owned(), created_at: at(100) }];
    let nothing = ResourceState::default();
    let kind = AlertKind::SessionRefusal;
    assert!(over(kind, &cause(None), &nothing, &same("session.status_run_started")).is_none());
    assert!(over(kind, &cause(None), &nothing, &same("session.archived")).is_some());
    let earlier = vec![LaterEvent { event_type: "session.archived".to_owned(), created_at: at(99) }];
    assert!(over(kind, &cause(None), &nothing, &earlier).is_none());
}

#[test]
fn a_snapshot_from_before_the_cause_ends_nothing() {
    let kind = AlertKind::SessionRefusal;
    assert!(over(kind, &cause(None), &seen("running", 99, None), &[]).is_none());
    // The platform's clock has whole seconds in events: within the same second nothing is known.
    assert!(over(kind, &cause(None), &seen("running", 101, None), &[]).is_none());
}

#[test]
fn the_same_idle_event_ends_nothing_and_another_one_does() {
    let kind = AlertKind::SessionRefusal;
    let cause = cause(Some("sevt_1"));
    assert!(over(kind, &cause, &seen("idle", 110, Some("sevt_1")), &[]).is_none());
    assert!(over(kind, &cause, &seen("idle", 110, Some("sevt_2")), &[]).is_some());
    assert!(over(kind, &cause, &seen("terminated", 110, None), &[]).is_none());
}

#[test]
fn what_is_deleted_or_recovered_needs_nobody_any_more() {
    let deleted = ResourceState { deleted_at: Some(at(200)), ..ResourceState::default() };
    let nothing = ResourceState::default();
    let credential = AlertKind::CredentialRefreshFailed;
    assert_eq!(over(credential, &cause(None), &deleted, &[]), Some("deleted".to_owned()));
    assert!(over(credential, &cause(None), &nothing, &later("vault_credential.archived")).is_some());
    assert!(
        over(AlertKind::DeploymentPaused, &cause(None), &nothing, &later("deployment.unpaused")).is_some()
    );
    assert!(over(AlertKind::DeploymentPaused, &cause(None), &seen("active", 110, None), &[]).is_some());
    assert!(
        over(AlertKind::ExternalKeyFailed, &cause(None), &nothing, &later("external_key.recovered"))
            .is_some()
    );
}

#[test]
fn a_denied_message_and_a_failed_run_wait_for_a_person() {
    let deleted = ResourceState { deleted_at: Some(at(200)), ..ResourceState::default() };
    assert!(over(AlertKind::ModerationDenied, &cause(None), &deleted, &[]).is_none());
    assert!(over(AlertKind::DeploymentRunFailed, &cause(None), &deleted, &[]).is_none());
}

fn fares(failures: u64, since: i64, last_success: Option<i64>, last_failure: i64) -> Fares {
    Fares {
        failures_in_a_row: failures,
        failing_since: (failures > 0).then(|| at(since)),
        last_success_at: last_success.map(at),
        last_failure_at: Some(at(last_failure)),
        last_failure_reason: Some(format!("reason at {last_failure}")),
    }
}

#[test]
fn the_failures_of_all_processes_add_up_until_any_of_them_succeeds() {
    let both = together(&[fares(9, 10, Some(5), 20), fares(7, 12, None, 22)]);
    assert_eq!((both.failures_in_a_row, both.failing_since), (16, Some(at(10))));
    assert_eq!(both.last_failure_reason.as_deref(), Some("reason at 22"));
    assert_eq!(failing(&both), Some(Severity::Critical));
    // The second process has succeeded while the first one failed: of its nine, the last one surely counts.
    let one = together(&[fares(9, 10, Some(5), 20), fares(0, 0, Some(15), 1)]);
    assert_eq!((one.failures_in_a_row, failing(&one)), (1, None));
    let none = together(&[fares(9, 10, Some(5), 20), fares(0, 0, Some(21), 1)]);
    assert_eq!((none.failures_in_a_row, none.failing_since), (0, None));
    assert_eq!(together(&[]), Fares::default());
}

#[test]
fn a_person_is_told_long_before_the_sender_loses_patience() {
    let failing_after = |failures| failing(&fares(failures, 1, None, 2));
    assert_eq!(failing_after(4), None);
    assert_eq!(failing_after(5), Some(Severity::Warning));
    assert_eq!(failing_after(14), Some(Severity::Warning));
    assert_eq!(failing_after(15), Some(Severity::Critical));
}

#[test]
fn what_is_archived_needs_nobody_whatever_its_status_says() {
    let mut archived = seen("terminated", 110, None);
    if let Some(snapshot) = archived.snapshot.as_mut() {
        snapshot.body = r#"{"status":"terminated","archived_at":"2026-01-01T00:00:00Z"}"#.to_owned();
    }
    assert!(over(AlertKind::SessionError, &cause(None), &archived, &[]).is_some());
}
