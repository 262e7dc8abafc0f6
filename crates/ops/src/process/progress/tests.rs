use super::*;

const LIMIT: Duration = Duration::from_mins(5);

fn later() -> Instant {
    Instant::now() + LIMIT + Duration::from_secs(1)
}

#[test]
fn who_holds_nothing_is_not_stuck_however_long_nothing_moves() {
    let progress = Progress::new();
    assert_eq!(progress.stuck(later(), LIMIT), None);
    progress.took(2);
    progress.settled(2);
    assert_eq!(progress.stuck(later(), LIMIT), None);
}

#[test]
fn who_holds_messages_and_does_not_move_is_stuck_and_says_what_it_waits_for() {
    let progress = Progress::new();
    progress.took(3);
    progress.settled(1);
    drop(progress.waiting("the end of yesterday".to_owned()));
    let _waiting = progress.waiting("Godot".to_owned());
    assert_eq!(progress.stuck(Instant::now(), LIMIT), None);
    let stuck = progress.stuck(later(), LIMIT).expect("it is stuck").to_string();
    assert_eq!(stuck, "nothing moved for 301 s, with 2 messages in hand; waiting for Godot (301 s)");
}

#[test]
fn a_known_reason_to_wait_and_the_end_of_a_wait_are_signs_of_life() {
    let progress = Progress::new();
    progress.took(1);
    let waiting = progress.waiting("an answer".to_owned());
    let limit = Duration::from_millis(20);
    let idle = || progress.stuck(Instant::now() + limit, Duration::ZERO).map(|stuck| stuck.idle);
    std::thread::sleep(limit);
    assert!(idle() >= Some(limit * 2));
    progress.excused();
    assert!(idle() < Some(limit * 2));
    std::thread::sleep(limit);
    drop(waiting);
    assert!(idle() < Some(limit * 2));
}
