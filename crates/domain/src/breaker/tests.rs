use super::window::FEWEST_CALLS;
use super::*;
use proptest::prelude::*;

const AWAY: Sign = Sign::Wall { cause: Cause::Away, retry_after: None };

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_568_830 + seconds, 0).unwrap()
}

fn breaker() -> Breaker {
    Breaker::new(Pauses::default())
}

/// Reports calls that ended one second apart, from second 0 on.
fn told(signs: &[Sign]) -> (Breaker, Verdict) {
    let mut breaker = breaker();
    let mut verdict = Verdict { counts: true, change: Change::None };
    for (second, sign) in (0..).zip(signs) {
        verdict = breaker.record(Caller::Other, *sign, at(second), 1.0);
    }
    (breaker, verdict)
}

fn probe(breaker: &mut Breaker, sign: Sign, now: DateTime<Utc>) -> Verdict {
    assert_eq!(breaker.stance(now), Stance::ProbeDue);
    breaker.begin_probe();
    assert_eq!(breaker.stance(now), Stance::Probing);
    breaker.record(Caller::Probe, sign, now, 1.0)
}

#[test]
fn three_failing_events_pause_nothing_and_each_failure_counts() {
    let (breaker, verdict) = told(&[Sign::Failed; 3]);
    assert_eq!((breaker.stance(at(3)), breaker.cause()), (Stance::Free, None));
    assert_eq!(verdict, Verdict { counts: true, change: Change::None });
}

#[test]
fn it_opens_when_most_of_enough_calls_failed_and_the_failure_that_opens_it_does_not_count() {
    let (breaker, verdict) = told(&[Sign::Failed; FEWEST_CALLS]);
    let pause = TimeDelta::seconds(1);
    assert_eq!(verdict, Verdict { counts: false, change: Change::Opened { cause: Cause::Failing, pause } });
    assert_eq!(breaker.stance(at(9)), Stance::Shut);
    assert_eq!(breaker.stance(at(10)), Stance::ProbeDue);
}

#[test]
fn as_many_answers_as_failures_keep_it_closed() {
    let half = [[Sign::Served; 1], [Sign::Failed; 1]].concat().repeat(FEWEST_CALLS);
    assert_eq!(told(&half).0.stance(at(99)), Stance::Free);
}

#[test]
fn failures_of_long_ago_are_forgotten() {
    let (mut breaker, _) = told(&[Sign::Failed; FEWEST_CALLS - 1]);
    let verdict = breaker.record(Caller::Other, Sign::Failed, at(120), 1.0);
    assert_eq!(verdict, Verdict { counts: true, change: Change::None });
}

#[test]
fn one_certain_sign_opens_it_and_costs_no_try() {
    let (breaker, verdict) = told(&[AWAY]);
    assert!(!verdict.counts);
    assert_eq!(breaker.cause(), Some(Cause::Away));
}

#[test]
fn pauses_double_up_to_the_longest_and_begin_anew_after_a_success() {
    let (mut breaker, _) = told(&[AWAY]);
    let mut now = at(1);
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let Change::Opened { pause, .. } = probe(&mut breaker, AWAY, now).change else { panic!() };
        pauses.push(pause.num_seconds());
        now += pause;
    }
    assert_eq!(pauses, [2, 4, 8, 16, 30, 30, 30]);
    assert_eq!(probe(&mut breaker, Sign::Served, now).change, Change::Closed);
    let verdict = breaker.record(Caller::Other, AWAY, now, 1.0);
    let pause = TimeDelta::seconds(1);
    assert_eq!(verdict.change, Change::Opened { cause: Cause::Away, pause });
}

#[test]
fn retry_after_is_kept_to_the_second_up_to_its_cap() {
    for (asked, kept) in [(120, 120), (86_400, 900)] {
        let sign = Sign::Wall { cause: Cause::Throttled, retry_after: Some(TimeDelta::seconds(asked)) };
        let (breaker, _) = told(&[sign]);
        assert_eq!(breaker.stance(at(kept - 1)), Stance::Shut, "{asked}");
        assert_eq!(breaker.stance(at(kept)), Stance::ProbeDue, "{asked}");
    }
}

#[test]
fn a_later_call_that_is_asked_to_wait_longer_prolongs_the_pause() {
    let throttled =
        |seconds| Sign::Wall { cause: Cause::Throttled, retry_after: Some(TimeDelta::seconds(seconds)) };
    let (breaker, verdict) = told(&[throttled(10), throttled(60), throttled(5)]);
    assert!(!verdict.counts);
    assert_eq!((breaker.stance(at(60)), breaker.stance(at(61))), (Stance::Shut, Stance::ProbeDue));
}

#[test]
fn after_an_outage_a_resource_that_alone_still_fails_pays_for_itself() {
    let (mut breaker, _) = told(&[AWAY]);
    let verdict = probe(&mut breaker, Sign::Failed, at(5));
    assert_eq!(verdict, Verdict { counts: true, change: Change::Closed });
}

#[test]
fn while_most_calls_fail_a_failed_probe_is_one_of_them() {
    let (mut breaker, _) = told(&[Sign::Failed; FEWEST_CALLS]);
    let verdict = probe(&mut breaker, Sign::Failed, at(20));
    assert!(!verdict.counts);
    assert_eq!(breaker.cause(), Some(Cause::Failing));
}

#[test]
fn a_probe_that_asked_nothing_leaves_its_place_to_the_next() {
    let (mut breaker, _) = told(&[AWAY]);
    probe(&mut breaker, Sign::Nothing, at(5));
    assert_eq!(probe(&mut breaker, Sign::Served, at(5)).change, Change::Closed);
}

#[test]
fn answers_from_before_the_pause_do_not_end_it() {
    let (mut breaker, _) = told(&[AWAY]);
    breaker.record(Caller::Other, Sign::Served, at(0), 1.0);
    assert_eq!(breaker.stance(at(0)), Stance::Shut);
}

#[test]
fn a_clock_that_is_set_back_does_not_prolong_the_pause() {
    let (breaker, _) = told(&[AWAY]);
    assert_eq!(breaker.stance(at(-3600)), Stance::ProbeDue);
}

fn any_sign() -> impl Strategy<Value = Sign> {
    let wall = (0usize..4, proptest::option::of(0i64..2_000)).prop_map(|(cause, seconds)| Sign::Wall {
        cause: Cause::ALL[cause],
        retry_after: seconds.map(TimeDelta::seconds),
    });
    prop_oneof![Just(Sign::Served), Just(Sign::Failed), Just(Sign::Nothing), wall]
}

proptest! {
    /// Calls end as they like, seconds pass, and whenever a probe is due it is sent.
    #[test]
    fn whatever_happened_one_probe_at_a_time_is_sent_and_a_served_one_ends_the_pause(
        story in proptest::collection::vec((any_sign(), any::<bool>(), 0i64..120, 0.0f64..1.0), 1..200),
    ) {
        let mut breaker = breaker();
        let mut now = at(0);
        for (sign, by_probe, seconds, jitter) in story {
            now += TimeDelta::seconds(seconds);
            let stance = breaker.stance(now);
            let caller = match stance {
                Stance::ProbeDue => { breaker.begin_probe(); Caller::Other }
                Stance::Probing if by_probe => Caller::Probe,
                Stance::Probing | Stance::Free | Stance::Shut => Caller::Other,
            };
            let before = breaker.cause();
            let verdict = breaker.record(caller, sign, now, jitter);
            if before.is_some() && verdict.change != Change::Closed && sign != Sign::Nothing {
                prop_assert!(!verdict.counts, "a failure in a pause uses up a try");
            }
            if let Change::Opened { pause, .. } = verdict.change {
                prop_assert!(pause <= LONGEST_RETRY_AFTER && pause >= TimeDelta::zero());
                prop_assert!(!verdict.counts);
            }
            prop_assert_eq!(breaker.cause().is_none(), breaker.stance(now) == Stance::Free);
        }
        if breaker.stance(now) == Stance::Probing {
            breaker.record(Caller::Probe, Sign::Nothing, now, 0.5);
        }
        now += LONGEST_RETRY_AFTER;
        if breaker.stance(now) != Stance::Free {
            prop_assert_eq!(probe(&mut breaker, Sign::Served, now).change, Change::Closed);
        }
        prop_assert_eq!(breaker.stance(now), Stance::Free);
    }

    #[test]
    fn too_few_failures_never_open_it(failures in 0..FEWEST_CALLS, jitter in 0.0f64..1.0) {
        let mut breaker = breaker();
        for second in 0..i64::try_from(failures).unwrap() {
            let verdict = breaker.record(Caller::Other, Sign::Failed, at(second), jitter);
            prop_assert!(verdict.counts);
        }
        prop_assert_eq!(breaker.cause(), None);
    }

    #[test]
    fn pauses_of_our_own_are_between_half_the_first_and_the_longest(before in 0u32..10_000, jitter in -1.0f64..2.0) {
        let pause = Pauses::default().nth(before, jitter);
        prop_assert!(pause >= TimeDelta::milliseconds(500) && pause <= TimeDelta::seconds(30));
    }
}
