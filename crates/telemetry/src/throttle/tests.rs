use super::{LogLimiter, Throttle};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(10);

#[test]
fn the_first_passes_and_the_next_of_the_period_are_counted() {
    let start = Instant::now();
    let mut throttle = Throttle::new(PERIOD);
    assert_eq!(throttle.admit(start), Some(0));
    assert_eq!(throttle.admit(start + Duration::from_secs(1)), None);
    assert_eq!(throttle.admit(start + Duration::from_millis(9_999)), None);
    assert_eq!(throttle.admit(start + PERIOD), Some(2));
    assert_eq!(throttle.admit(start + PERIOD + PERIOD), Some(0));
}

#[test]
fn a_different_line_passes_at_once() {
    let start = Instant::now();
    let mut limiter = LogLimiter::new(PERIOD);
    assert_eq!(limiter.admit("refused", start), Some(0));
    assert_eq!(limiter.admit("refused", start), None);
    assert_eq!(limiter.admit("timed out", start), Some(0));
    assert_eq!(limiter.admit("refused", start + PERIOD), Some(1));
}

#[test]
fn endlessly_different_lines_are_bounded_in_memory_and_in_number() {
    let start = Instant::now();
    let mut limiter = LogLimiter::new(PERIOD);
    let admitted = (0..1000).filter(|n| limiter.admit(&n.to_string(), start).is_some()).count();
    assert_eq!(admitted, LogLimiter::CAPACITY + 1);
    assert_eq!(limiter.lines.len(), LogLimiter::CAPACITY);
    assert_eq!(limiter.admit("later", start + PERIOD), Some(0), "old lines make room for new ones");
}

proptest! {
    #[test]
    fn every_occurrence_is_either_admitted_or_counted(gaps in prop::collection::vec(0_u64..20, 1..200)) {
        let mut throttle = Throttle::new(PERIOD);
        let mut now = Instant::now();
        let mut accounted = 0;
        for gap in &gaps {
            now += Duration::from_secs(*gap);
            accounted += throttle.admit(now).map_or(0, |suppressed| suppressed + 1);
        }
        accounted += throttle.admit(now + PERIOD).unwrap_or_default();
        prop_assert_eq!(accounted, gaps.len() as u64);
    }
}
