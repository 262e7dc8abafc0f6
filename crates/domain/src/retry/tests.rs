use super::*;
use proptest::prelude::*;

fn policy() -> RetryPolicy {
    RetryPolicy::new(3, vec![TimeDelta::seconds(10), TimeDelta::seconds(60)]).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_568_830, 0).unwrap()
}

#[test]
fn the_third_failure_is_the_last() {
    let after = |used| policy().after_failure(used, FailureClass::Transient, now(), None, 0.5);
    assert_eq!(after(0), Next::Retry { at: now() + TimeDelta::seconds(10), tries: 1 });
    assert_eq!(after(1), Next::Retry { at: now() + TimeDelta::seconds(60), tries: 2 });
    assert_eq!(after(2), Next::Dead { tries: 3 });
}

#[test]
fn what_can_never_work_is_dead_at_once() {
    let next = policy().after_failure(0, FailureClass::Permanent, now(), None, 0.5);
    assert_eq!(next, Next::Dead { tries: 1 });
}

#[test]
fn waiting_for_others_uses_up_no_try() {
    for class in [FailureClass::Throttled, FailureClass::Configuration] {
        let next = policy().after_failure(2, class, now(), None, 0.5);
        assert!(matches!(next, Next::Wait { at } if at > now()), "{class}: {next:?}");
    }
}

#[test]
fn an_outage_uses_up_no_try_not_even_the_last() {
    let next = policy().after_outage(2, now(), Some(TimeDelta::seconds(90)), 0.5);
    assert_eq!(next, Next::Wait { at: now() + TimeDelta::seconds(90) });
}

#[test]
fn policies_that_make_no_sense_are_refused() {
    assert_eq!(RetryPolicy::new(0, vec![]), Err(InvalidPolicy::NoTries));
    assert_eq!(RetryPolicy::new(2, vec![]), Err(InvalidPolicy::NoDelays));
    assert_eq!(RetryPolicy::new(2, vec![TimeDelta::seconds(-1)]), Err(InvalidPolicy::NegativeDelay));
    assert!(RetryPolicy::new(1, vec![]).is_ok());
}

proptest! {
    #[test]
    fn retry_after_only_ever_delays(used in 0u32..2, seconds in 0i64..100_000, jitter in 0.0f64..1.0) {
        let at = |retry_after| match policy().after_failure(used, FailureClass::Transient, now(), retry_after, jitter) {
            Next::Retry { at, .. } => at,
            other @ (Next::Wait { .. } | Next::Dead { .. }) => panic!("{other:?}"),
        };
        let plain = at(None);
        let asked = at(Some(TimeDelta::seconds(seconds)));
        prop_assert!(asked >= plain);
        prop_assert!(asked <= now() + LONGEST_RETRY_AFTER.max(TimeDelta::seconds(66)));
        prop_assert!(plain > now());
    }

    #[test]
    fn no_event_is_tried_more_often_than_allowed(tries in 1u32..10, jitter in 0.0f64..1.0) {
        let policy = RetryPolicy::new(tries, vec![TimeDelta::seconds(1)]).unwrap();
        let mut used = 0;
        for _ in 0..20 {
            match policy.after_failure(used, FailureClass::Bug, now(), None, jitter) {
                Next::Retry { tries, .. } => used = tries,
                Next::Dead { tries: last } => {
                    prop_assert_eq!(last, tries);
                    return Ok(());
                }
                Next::Wait { .. } => prop_assert!(false),
            }
        }
        prop_assert!(false, "never dead");
    }
}
