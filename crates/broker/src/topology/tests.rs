use super::{DEFINITIONS, Queue, QueueNames, arguments};

#[test]
fn names_begin_with_the_prefix() {
    assert_eq!(QueueNames::default().name(Queue::Work), "holdfast.work");
    assert_eq!(QueueNames::new("staging").unwrap().name(Queue::Dead), "staging.dead");
    assert_eq!(QueueNames::default().name(Queue::Replies), "holdfast.replies");
}

#[test]
fn a_prefix_that_would_not_make_a_queue_name_is_refused() {
    for prefix in ["", "a b", "ä", &"x".repeat(201)] {
        assert!(QueueNames::new(prefix).is_err(), "{prefix:?}");
    }
}

#[test]
fn every_queue_that_receives_dead_letters_is_declared_before_those_that_send_them() {
    let mut declared = Vec::new();
    for definition in &DEFINITIONS {
        assert!(definition.dead_letters_to.is_none_or(|target| declared.contains(&target)));
        declared.push(definition.queue);
    }
    assert_eq!(declared.len(), 3);
}

#[test]
fn every_queue_is_a_quorum_queue_with_an_explicit_delivery_limit_that_refuses_rather_than_drops() {
    for definition in &DEFINITIONS {
        let arguments = format!("{:?}", arguments(definition, &QueueNames::default()));
        for name in ["x-queue-type", "x-delivery-limit", "x-overflow"] {
            assert!(arguments.contains(name), "{:?} lacks {name}", definition.queue);
        }
        assert!(!arguments.contains("ttl"), "{arguments}");
    }
}
