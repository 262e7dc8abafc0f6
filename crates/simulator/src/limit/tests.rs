use super::*;

#[test]
fn the_limit_holds_in_every_window_and_tells_how_long_to_wait() {
    let begin = Instant::now();
    let at = |seconds: u64| begin + Duration::from_secs(seconds);
    let mut limit = Limit::new(Some(2));
    assert_eq!((limit.take(at(0)), limit.take(at(10))), (Ok(()), Ok(())));
    assert_eq!(limit.take(at(20)), Err(Duration::from_secs(40)));
    assert_eq!((limit.take(at(60)), limit.refused), (Ok(()), 1));
    assert_eq!(limit.take(at(61)), Err(Duration::from_secs(9)));
}

#[test]
fn without_a_limit_everything_passes() {
    let mut limit = Limit::new(None);
    assert!((0..10_000).all(|_| limit.take(Instant::now()).is_ok()));
}
