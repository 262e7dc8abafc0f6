use super::*;

#[test]
fn an_instant_names_its_zone() {
    assert_eq!(
        instant(DateTime::from_timestamp(1_795_308_065, 999_000_000).unwrap()),
        "2026-11-22 00:41:05Z"
    );
}

#[test]
fn a_span_is_in_whole_seconds_and_never_negative() {
    assert_eq!(span(TimeDelta::milliseconds(3_725_900)), "1h 2m 5s");
    assert_eq!(span(TimeDelta::seconds(-5)), "0s");
}
