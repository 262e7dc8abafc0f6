use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::world::World;

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

fn dialects() -> impl Strategy<Value = DialectChoice> {
    use DialectChoice::{Classic, Flat, Mixed, Platform};
    prop_oneof![Just(Platform), Just(Flat), Just(Classic), Just(Mixed)]
}

prop_compose! {
    fn orders()(
        (count, sessions, extra) in (1_usize..80, 1_usize..20, 0_u8..40),
        (stale, bad_signatures, dropped) in (0_usize..5, 0_usize..5, 0_usize..5),
        dialect in dialects(),
        shuffle: bool,
    ) -> SendOrder {
        let duplicates = f64::from(extra);
        SendOrder { count, sessions, duplicates, shuffle, stale, bad_signatures, dropped, dialect, ..SendOrder::default() }
    }
}

proptest! {
    #[test]
    fn a_plan_has_as_many_of_each_kind_as_ordered(order in orders(), seed: u64) {
        let plan = plan(&order, seed, at());
        let number = |wanted: fn(&Fate) -> bool| plan.sends.iter().filter(|(_, fate)| wanted(fate)).count();
        prop_assert_eq!(number(|fate| *fate == Fate::Valid), order.count);
        prop_assert_eq!(number(|fate| *fate == Fate::Stale), order.stale);
        prop_assert_eq!(number(|fate| matches!(fate, Fate::BadSignature(_))), order.bad_signatures);
        prop_assert_eq!(number(|fate| *fate == Fate::Dropped), order.dropped);
        prop_assert_eq!(number(|fate| *fate == Fate::Duplicate), order.duplicate_count());
        let ids: BTreeSet<_> = plan.events.iter().map(|event| &event.event_id).collect();
        prop_assert_eq!(ids.len(), plan.events.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_plan(order in orders(), seed: u64) {
        prop_assert_eq!(plan(&order, seed, at()), plan(&order, seed, at()));
    }

    #[test]
    fn every_step_causes_its_one_webhook_and_times_increase(order in orders(), seed: u64) {
        let plan = plan(&order, seed, at());
        let mut world = World::new(seed, false);
        for session in &plan.sessions {
            prop_assert!(session.steps.is_sorted_by(|(_, a), (_, b)| a < b));
            world.put(Some(&session.id), crate::world::Object::new(), at());
            for (scenario, at) in &session.steps {
                let notices = world.play(*scenario, &session.id, &[], *at).unwrap();
                let kinds: Vec<_> = notices.iter().map(|notice| notice.kind.as_str()).collect();
                prop_assert_eq!(kinds, vec![webhook_type(*scenario)]);
            }
        }
    }
}

#[test]
fn only_shuffling_puts_an_event_before_an_earlier_one() {
    let order = SendOrder { duplicates: 0.5, ..SendOrder::default() };
    let firsts = |order: &SendOrder| {
        let sends = plan(order, 5, at()).sends.into_iter();
        sends.filter(|(_, fate)| *fate == Fate::Valid).map(|(index, _)| index).collect::<Vec<_>>()
    };
    assert!(firsts(&order).is_sorted());
    assert!(!firsts(&SendOrder { shuffle: true, ..order }).is_sorted());
}
