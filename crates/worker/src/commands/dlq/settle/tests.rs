use super::*;

#[test]
fn nobody_waits_for_a_long_queue_because_of_a_few_letters() {
    assert!(is_worth_a_pass(1, 1_000));
    assert!(!is_worth_a_pass(1, 100_000));
    assert!(is_worth_a_pass(10_000, 100_000));
    assert!(is_worth_a_pass(0, 0));
}
