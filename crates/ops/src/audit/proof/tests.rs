use super::{Proof, proof};
use crate::audit::Config;
use chrono::{DateTime, TimeDelta, Utc};
use store::WorkerReport;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000 + seconds)
}

fn says(worker: &str, reported: i64, held_since: Option<i64>) -> WorkerReport {
    WorkerReport {
        worker: worker.to_owned(),
        reported_at: at(reported),
        held_since: held_since.map(at),
        holds_redelivered: false,
    }
}

fn after_marker(reports: &[WorkerReport], now: i64) -> Proof {
    proof(Some(at(0)), reports, at(now), &Config::default())
}

fn held_by(worker: &str) -> Proof {
    Proof::InHands { worker: worker.to_owned() }
}

#[test]
fn nothing_is_proven_before_the_marker_has_come_back() {
    assert_eq!(proof(None, &[says("a", 100, None)], at(1_000), &Config::default()), Proof::InQueue);
}

#[test]
fn nothing_is_proven_right_after_the_marker() {
    assert_eq!(after_marker(&[says("a", 9, None)], 9), Proof::Grace);
    assert_eq!(after_marker(&[says("a", 9, None)], 10), Proof::Proven);
}

#[test]
fn a_worker_with_an_older_message_in_hand_is_waited_for_however_long() {
    assert_eq!(after_marker(&[says("a", 900, None), says("b", 899, Some(-5))], 900), held_by("b"));
    assert_eq!(after_marker(&[says("a", 900, None), says("b", 899, Some(600))], 900), Proof::Proven);
}

#[test]
fn clocks_that_differ_a_little_do_not_make_a_message_younger_than_the_marker() {
    assert_eq!(after_marker(&[says("a", 60, Some(2))], 60), held_by("a"));
    assert_eq!(after_marker(&[says("a", 60, Some(3))], 60), Proof::Proven);
}

#[test]
fn what_a_worker_said_before_the_marker_says_nothing() {
    assert_eq!(after_marker(&[says("a", 1, None)], 30), held_by("a"));
}

#[test]
fn a_message_that_somebody_had_before_may_be_older_than_the_marker() {
    let again = WorkerReport { holds_redelivered: true, ..says("a", 60, None) };
    assert_eq!(after_marker(&[again], 60), held_by("a"));
}
