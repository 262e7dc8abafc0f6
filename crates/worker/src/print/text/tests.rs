use super::*;

#[test]
fn what_steers_a_terminal_is_replaced() {
    assert_eq!(harmless("red: \u{1b}[31m\nnext\u{9b}x"), "red: \u{fffd}[31m next\u{fffd}x");
}

#[test]
fn a_text_is_shortened_by_characters() {
    assert_eq!(shortened("éèê", 3), "éèê");
    assert_eq!(shortened("éèêë", 3), "éè…");
}

#[test]
fn one_thing_has_no_plural() {
    assert_eq!(counted(1, "event"), "1 event");
    assert_eq!(counted(0, "event"), "0 events");
}
