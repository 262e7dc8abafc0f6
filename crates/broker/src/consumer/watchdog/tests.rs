use super::{Look, Watchdog};

const OWED: Look = Look { ready: 3, unsettled: 0, prefetch: 5 };

#[test]
fn messages_that_wait_at_two_looks_in_a_row_mean_that_the_consumer_is_stuck() {
    let mut watchdog = Watchdog::default();
    assert!(!watchdog.is_stuck(OWED));
    assert!(watchdog.is_stuck(OWED));
}

#[test]
fn an_empty_queue_and_a_full_prefetch_are_no_reason_to_worry() {
    let mut watchdog = Watchdog::default();
    for _ in 0..5 {
        assert!(!watchdog.is_stuck(Look { ready: 0, ..OWED }));
        assert!(!watchdog.is_stuck(Look { unsettled: 5, ..OWED }));
    }
}

#[test]
fn a_delivery_or_a_quiet_look_in_between_starts_the_count_anew() {
    let mut watchdog = Watchdog::default();
    assert!(!watchdog.is_stuck(OWED));
    watchdog.delivered();
    assert!(!watchdog.is_stuck(OWED));
    assert!(!watchdog.is_stuck(Look { ready: 0, ..OWED }));
    assert!(!watchdog.is_stuck(OWED));
}
