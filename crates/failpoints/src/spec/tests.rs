use super::{Point, parse};
use crate::{Action, Error};
use std::time::Duration;

fn one(text: &str) -> Point {
    parse(text).unwrap().pop().unwrap()
}

#[test]
fn only_the_nth_pass_counts_when_one_is_asked_for() {
    let point = one("accept.committed=abort@3");
    let hits: Vec<bool> = (0..5).map(|_| point.is_hit("accept.committed", "")).collect();
    assert_eq!(hits, [false, false, true, false, false]);
    assert_eq!(point.action(), Action::Abort);
}

#[test]
fn every_pass_counts_otherwise_and_other_lines_never() {
    let point = one("relay.claimed=panic");
    assert!(point.is_hit("relay.claimed", "") && point.is_hit("relay.claimed", "anything"));
    assert!(!point.is_hit("relay.published", ""));
}

#[test]
fn a_key_lets_all_other_passes_go() {
    let point = one("intake.read[whe_1]=abort@1");
    assert!(!point.is_hit("intake.read", "whe_2"));
    assert!(point.is_hit("intake.read", "whe_1"));
}

#[test]
fn several_are_separated_and_an_empty_variable_arms_none() {
    let points = parse("publish.begin=sleep(200ms); replay.chunk=sleep(2s);").unwrap();
    let actions: Vec<Action> = points.iter().map(Point::action).collect();
    assert_eq!(actions, [Action::Sleep(Duration::from_millis(200)), Action::Sleep(Duration::from_secs(2))]);
    assert!(parse("").unwrap().is_empty());
}

#[test]
fn what_cannot_be_meant_is_an_error() {
    let unknown = parse("accept.commited=abort").unwrap_err();
    assert_eq!(unknown, Error::Unknown { name: "accept.commited".to_owned() });
    assert!(unknown.to_string().contains("accept.committed, "), "{unknown}");
    for text in
        ["accept.committed", "accept.committed=die", "accept.committed=abort@x", "intake.read[a=abort"]
    {
        assert_eq!(parse(text).unwrap_err(), Error::Syntax(text.to_owned()));
    }
}
