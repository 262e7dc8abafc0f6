use super::super::check::Verdict;
use super::*;

#[test]
fn only_tested_versions_pass_without_a_warning() {
    for (version, verdict) in [
        ("15.14", Verdict::Ok),
        ("17.2 (Debian 17.2-1.pgdg120+1)", Verdict::Ok),
        ("18beta1", Verdict::Warning),
        ("14.9", Verdict::Warning),
        ("19.0", Verdict::Warning),
    ] {
        assert_eq!(version_check(version).status, verdict, "{version}");
    }
}

#[test]
fn a_ledger_that_does_not_add_up_fails() {
    let mut ledger =
        Ledger { accepted: 3, pending: 1, applied: 2, superseded: 0, ignored: 0, dead: 0, discarded: 0 };
    assert_eq!(ledger_check(&ledger).status, Verdict::Ok);
    ledger.accepted = 4;
    assert_eq!(ledger_check(&ledger).status, Verdict::Failed);
}

#[test]
fn a_backlog_is_worth_a_warning_when_its_oldest_event_is_old() {
    let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
    let backlog = |oldest| Backlog { pending: 1, oldest_pending: oldest, outbox: 0, dead: 0 };
    assert_eq!(backlog_check(&backlog(None), now).status, Verdict::Ok);
    assert_eq!(backlog_check(&backlog(Some(now - LONG)), now).status, Verdict::Ok);
    let old = backlog_check(&backlog(Some(now - LONG - TimeDelta::seconds(1))), now);
    assert_eq!(old.status, Verdict::Warning);
    assert!(old.sentence().contains("1 event unfinished, the oldest for 10m 1s"), "{}", old.sentence());
}
