use super::{Failure, Hints, Retry, RetryPolicy};
use chrono::DateTime;
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

const SEVEN_28: &str = "2015-10-21T07:28:00Z";

fn hints(headers: &[(&'static str, &str)]) -> Hints {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    Hints::read(&map, DateTime::parse_from_rfc3339(SEVEN_28).unwrap().to_utc())
}

fn refused(status: u16) -> Failure {
    Failure::Refused { status, hints: Hints::default() }
}

fn wait(retry: Retry, failure: Failure) -> Option<Duration> {
    RetryPolicy::default().next_wait(retry, 0, failure, 0.0)
}

#[test]
fn the_statuses_of_the_official_clients_are_retried_and_no_others() {
    for status in 300..=599 {
        let expected = matches!(status, 408 | 409 | 429) || status >= 500;
        assert_eq!(wait(Retry::Sdk, refused(status)).is_some(), expected, "{status}");
    }
}

#[test]
fn waits_double_up_to_their_limit_and_end_with_the_retries() {
    let policy = RetryPolicy { retries: 6, ..RetryPolicy::default() };
    let waits: Vec<_> = (0..7)
        .map(|attempt| policy.next_wait(Retry::Sdk, attempt, refused(500), 0.0).map(|wait| wait.as_millis()))
        .collect();
    assert_eq!(waits, [Some(500), Some(1000), Some(2000), Some(4000), Some(8000), Some(8000), None]);
}

#[test]
fn full_jitter_takes_a_quarter_off() {
    let wait = RetryPolicy::default().next_wait(Retry::Sdk, 0, Failure::NotSent, 1.0);
    assert_eq!(wait, Some(Duration::from_millis(375)));
}

#[test]
fn the_platforms_word_beats_the_status() {
    let yes = Hints { should_retry: Some(true), retry_after: None };
    let no = Hints { should_retry: Some(false), retry_after: None };
    assert!(wait(Retry::Sdk, Failure::Refused { status: 400, hints: yes }).is_some());
    assert!(wait(Retry::Sdk, Failure::Refused { status: 503, hints: no }).is_none());
}

#[test]
fn a_post_is_repeated_only_where_it_was_certainly_not_carried_out() {
    let yes = Hints { should_retry: Some(true), retry_after: None };
    assert!(wait(Retry::Unambiguous, Failure::NotSent).is_some());
    assert!(wait(Retry::Unambiguous, refused(429)).is_some());
    assert!(wait(Retry::Unambiguous, refused(409)).is_some());
    assert!(wait(Retry::Unambiguous, Failure::Unanswered).is_none());
    assert!(wait(Retry::Unambiguous, refused(408)).is_none());
    assert!(wait(Retry::Unambiguous, refused(529)).is_none());
    assert!(wait(Retry::Unambiguous, Failure::Refused { status: 500, hints: yes }).is_none());
}

#[test]
fn never_means_never() {
    for failure in [Failure::NotSent, Failure::Unanswered, refused(429), refused(503)] {
        assert_eq!(wait(Retry::Never, failure), None);
    }
}

#[test]
fn a_requested_wait_is_kept_up_to_the_limit_and_not_beyond() {
    let asked =
        |wait| Failure::Refused { status: 429, hints: Hints { should_retry: None, retry_after: Some(wait) } };
    let limit = RetryPolicy::default().max_in_place_wait;
    let policy = RetryPolicy::default();
    assert_eq!(policy.next_wait(Retry::Sdk, 0, asked(limit), 0.9), Some(limit));
    assert_eq!(policy.next_wait(Retry::Sdk, 0, asked(limit + Duration::from_millis(1)), 0.9), None);
}

#[test]
fn every_form_of_retry_after_is_read() {
    let wait = |headers: &[(&'static str, &str)]| hints(headers).retry_after.map(|wait| wait.as_millis());
    assert_eq!(wait(&[("retry-after", "3")]), Some(3000));
    assert_eq!(wait(&[("retry-after", " 0.25 ")]), Some(250));
    assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2015 07:28:05 GMT")]), Some(5000));
    assert_eq!(wait(&[("retry-after-ms", "40"), ("retry-after", "3")]), Some(40));
    assert_eq!(wait(&[("retry-after-ms", "soon"), ("retry-after", "3")]), Some(3000));
    assert_eq!(wait(&[("retry-after", "1e300")]), Some(86_400_000));
}

#[test]
fn an_unusable_retry_after_is_none() {
    for text in ["0", "-1", "NaN", "later", "", "Wed, 21 Oct 2015 07:27:59 GMT"] {
        assert_eq!(hints(&[("retry-after", text)]).retry_after, None, "{text:?}");
    }
}

#[test]
fn should_retry_is_true_false_or_absent() {
    assert_eq!(hints(&[("x-should-retry", "true")]).should_retry, Some(true));
    assert_eq!(hints(&[("x-should-retry", "false")]).should_retry, Some(false));
    assert_eq!(hints(&[("x-should-retry", "maybe")]).should_retry, None);
    assert_eq!(hints(&[]).should_retry, None);
}

proptest! {
    #[test]
    fn a_wait_of_our_own_stays_within_its_bounds(attempt in 0_u32..40, jitter in any::<f64>()) {
        let policy = RetryPolicy { retries: 40, ..RetryPolicy::default() };
        let wait = policy.next_wait(Retry::Sdk, attempt, Failure::Unanswered, jitter).unwrap();
        prop_assert!(wait <= policy.longest_wait);
        prop_assert!(wait >= policy.first_wait.mul_f64(0.75));
    }

    #[test]
    fn a_more_careful_limit_never_retries_more(status in 100_u16..=999, should_retry in any::<Option<bool>>()) {
        let failure = Failure::Refused { status, hints: Hints { should_retry, retry_after: None } };
        prop_assert!(wait(Retry::Unambiguous, failure).is_none() || wait(Retry::Sdk, failure).is_some());
    }
}
