use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_wait_is_between_5_and_120_s_times_the_scale(attempt in 2_u32..40, jitter in 0.0_f64..=1.0, scale in 0.0_f64..=1.0) {
        let seconds = wait(attempt, jitter, scale).as_secs_f64();
        prop_assert!(seconds >= 5.0 * scale - 1e-6 && seconds <= 120.0 * scale + 1e-6);
    }
}

#[test]
fn the_second_wait_may_be_longer_than_the_first() {
    assert_eq!(wait(2, 1.0, 1.0), Duration::from_secs(20));
    assert_eq!(wait(3, 1.0, 1.0), Duration::from_secs(80));
}
