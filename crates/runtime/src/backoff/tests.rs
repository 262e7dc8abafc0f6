use super::Backoff;
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn delays_double_from_the_initial_one_to_the_largest() {
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
    let seconds: Vec<u64> = (1..=7).map(|failures| backoff.delay(failures, 1.0).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(backoff.delay(1, 0.0), Duration::from_millis(500));
}

proptest! {
    #[test]
    fn any_delay_is_between_half_the_initial_one_and_the_largest(failures: u32, jitter in 0.0..=1.0) {
        let backoff = Backoff::default();
        let delay = backoff.delay(failures, jitter);
        prop_assert!(delay >= Duration::from_millis(250), "{delay:?}");
        prop_assert!(delay <= Duration::from_secs(30), "{delay:?}");
    }
}

#[test]
fn jitter_that_is_no_fraction_is_survived() {
    for jitter in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 2.0] {
        assert!(Backoff::default().delay(1, jitter) <= Duration::from_millis(500), "{jitter}");
    }
}
