use super::*;
use std::cell::Cell;

#[tokio::test]
async fn it_fails_as_soon_as_the_worker_is_stuck_and_says_on_what() {
    let looks = Cell::new(0);
    let stuck = || {
        looks.set(looks.get() + 1);
        let waits = vec![("Godot".to_owned(), Duration::from_mins(6))];
        (looks.get() == 3).then_some(Stuck { held: 7, idle: Duration::from_mins(6), waits })
    };
    let error = watch(stuck, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(looks.get(), 3);
    let chain = format!("{error:#}");
    assert!(
        chain.starts_with("stuck;") && chain.contains("7 messages in hand; waiting for Godot (360 s)"),
        "{chain}"
    );
}

#[test]
fn patience_grows_with_the_time_that_a_request_may_take() {
    assert_eq!(limit(Duration::from_secs(5)), Duration::from_mins(5));
    assert_eq!(limit(Duration::from_mins(2)), Duration::from_mins(20));
}
