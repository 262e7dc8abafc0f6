use super::{Hands, Held};
use std::time::Duration;

#[test]
fn the_oldest_delivery_says_since_when_something_is_held() {
    let hands = Hands::default();
    assert_eq!(hands.held(), Held::Nothing);
    let first = hands.take(false);
    std::thread::sleep(Duration::from_millis(5));
    let second = hands.take(false);
    let Held::For(of_first) = hands.held() else { panic!("{:?}", hands.held()) };
    assert!(of_first >= Duration::from_millis(5));
    drop(first);
    let Held::For(of_second) = hands.held() else { panic!("{:?}", hands.held()) };
    assert!(of_second < of_first);
    drop(second);
    assert_eq!(hands.held(), Held::Nothing);
}

#[test]
fn a_redelivered_message_is_of_unknown_age_until_it_is_let_go() {
    let hands = Hands::default();
    let _fresh = hands.take(false);
    let again = hands.take(true);
    assert_eq!(hands.held(), Held::Redelivered);
    drop(again);
    assert!(matches!(hands.held(), Held::For(_)));
}
