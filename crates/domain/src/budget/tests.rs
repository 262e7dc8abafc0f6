use super::*;
use proptest::prelude::*;

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_773_568_800_000 + milliseconds).unwrap()
}

fn rate(per_minute: u32) -> Rate {
    Rate::per_minute(per_minute).unwrap()
}

/// A bucket that has had a minute to fill.
fn full() -> Bucket {
    Bucket::empty(at(-60_000))
}

#[test]
fn a_full_bucket_gives_the_calls_of_a_minute_and_then_one_at_a_time() {
    let (mut bucket, rate) = (full(), rate(60));
    assert_eq!(bucket.take(rate, 1_000, at(0)).tokens, 60);
    let none = bucket.take(rate, 1, at(250));
    assert_eq!((none.tokens, none.wait(rate, at(250))), (0, TimeDelta::milliseconds(750)));
    assert_eq!(bucket.take(rate, 5, at(1_000)).tokens, 1);
}

#[test]
fn no_time_fills_it_over_the_brim() {
    let (mut bucket, rate) = (full(), rate(60));
    assert_eq!(bucket.take(rate, 1_000, at(86_400_000)).tokens, 60);
}

#[test]
fn a_pause_holds_everything_back_and_is_never_made_shorter() {
    let (mut bucket, rate) = (full(), rate(60));
    bucket.pause(at(5_000));
    bucket.pause(at(3_000));
    let none = bucket.take(rate, 1, at(4_000));
    assert_eq!((none.tokens, none.wait(rate, at(4_000))), (0, TimeDelta::seconds(1)));
    assert_eq!(bucket.take(rate, 1, at(5_000)).tokens, 1);
}

#[test]
fn a_batch_is_what_a_second_brings() {
    assert_eq!([1, 60, 300, 1_200, 100_000].map(|calls| rate(calls).batch()), [1, 1, 5, 20, 50]);
    assert_eq!(Rate::per_minute(0), None);
}

#[test]
fn the_slowest_rate_does_not_wait_for_ever_in_vain() {
    let slow = rate(1).quarter();
    let mut bucket = Bucket::empty(at(0));
    let none = bucket.take(slow, 1, at(0));
    assert_eq!(none.tokens, 0);
    // A quarter of one call a minute: the bucket has to hold a whole token all the same.
    let then = at(0) + none.wait(slow, at(0));
    assert_eq!(bucket.take(slow, 1, then).tokens, 1);
}

proptest! {
    #[test]
    fn no_minute_sees_more_than_twice_the_rate_whatever_is_asked_and_whatever_clocks_say(
        per_minute in 1u32..2_000,
        asked in prop::collection::vec((-500i64..2_000, 0u32..100), 1..200),
    ) {
        let (mut bucket, rate) = (full(), rate(per_minute));
        let (mut now, mut latest, mut given) = (0, 0, 0u64);
        for (step, wanted) in asked {
            now += step;
            latest = latest.max(now);
            let grant = bucket.take(rate, wanted, at(now));
            prop_assert!(grant.tokens <= wanted && grant.left >= 0.0);
            given += u64::from(grant.tokens);
            // What was in it at first, and what time has brought.
            let most = f64::from(per_minute) * (1.0 + f64::from(i32::try_from(latest).unwrap()) / 60_000.0);
            prop_assert!(given as f64 <= most + 0.001, "{given} > {most}");
        }
    }

    #[test]
    fn who_waits_as_long_as_told_is_served(per_minute in 1u32..5_000, taken in 0u32..100) {
        let (mut bucket, rate) = (full(), rate(per_minute));
        bucket.take(rate, per_minute + taken, at(0));
        let none = bucket.take(rate, 1, at(0));
        prop_assert_eq!(none.tokens, 0);
        let then = at(0) + none.wait(rate, at(0));
        prop_assert_eq!(bucket.take(rate, 1, then).tokens, 1);
    }
}
