use super::Repeats;
use std::time::{Duration, Instant};

#[test]
fn the_same_text_is_said_once_a_minute_with_the_number_of_times_it_was_not() {
    let start = Instant::now();
    let mut repeats = Repeats::default();
    let mut at = |seconds| repeats.admit("away".to_owned(), start + Duration::from_secs(seconds));
    assert_eq!(at(0), Some(0));
    assert_eq!(at(1), None);
    assert_eq!(at(59), None);
    assert_eq!(at(60), Some(2));
    assert_eq!(at(61), None);
}

#[test]
fn another_text_is_said_at_once() {
    let now = Instant::now();
    let mut repeats = Repeats::default();
    assert_eq!(repeats.admit("away".to_owned(), now), Some(0));
    assert_eq!(repeats.admit("refused".to_owned(), now), Some(0));
    assert_eq!(repeats.admit("away".to_owned(), now), Some(0));
}

#[test]
fn after_a_success_the_same_text_is_news_again() {
    let now = Instant::now();
    let mut repeats = Repeats::default();
    assert_eq!(repeats.admit("away".to_owned(), now), Some(0));
    repeats.reset();
    assert_eq!(repeats.admit("away".to_owned(), now), Some(0));
}
