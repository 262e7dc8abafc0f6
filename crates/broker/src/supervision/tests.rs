use super::{Supervision, pauses};
use crate::metrics::{Direction, Metrics};
use crate::{Error, LinkState};
use std::time::Duration;

#[test]
fn pauses_lie_between_half_a_second_and_half_a_minute_and_never_end() {
    for (number, pause) in pauses().take(1000).enumerate() {
        assert!(pause >= Duration::from_millis(500), "{number}: {pause:?}");
        assert!(pause <= Duration::from_secs(30), "{number}: {pause:?}");
    }
    assert_eq!(pauses().take(1000).count(), 1000);
}

#[test]
fn a_session_that_fails_as_soon_as_it_begins_is_rebuilt_ever_more_slowly() {
    let mut supervision = Supervision::new(Direction::Consume, Metrics::default());
    let mut last = Duration::ZERO;
    for _ in 0..8 {
        supervision.up();
        last = supervision.failed(&Error::ConnectionLost);
    }
    assert!(last >= Duration::from_secs(15), "{last:?}");
}

#[test]
fn watchers_see_the_link_come_and_go() {
    let mut supervision = Supervision::new(Direction::Publish, Metrics::default());
    let state = supervision.state();
    assert_eq!(*state.borrow(), LinkState::Down);
    supervision.up();
    assert_eq!(*state.borrow(), LinkState::Up);
    supervision.failed(&Error::ConnectionLost);
    assert_eq!(*state.borrow(), LinkState::Down);
}
