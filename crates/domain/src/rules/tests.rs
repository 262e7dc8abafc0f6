use super::*;
use std::collections::BTreeSet;

#[test]
fn no_type_has_two_rows() {
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.event_type).collect();
    assert_eq!(names.len(), RULES.len());
}

#[test]
fn the_table_holds_every_type_of_the_platform_and_of_both_contracts() {
    // 44 of Managed Agents, 5 of organizations, 1 of older docs, 3 of the flat contract, 2 classic ones.
    assert_eq!(RULES.len(), 44 + 5 + 1 + 3 + 2);
}

#[test]
fn deletions_come_last_in_every_life() {
    for deletion in RULES.iter().filter(|rule| rule.consequence == Consequence::Deletes) {
        let others = RULES.iter().filter(|rule| rule.resource == deletion.resource && *rule != deletion);
        assert!(others.clone().all(|rule| rule.rank < deletion.rank), "{}", deletion.event_type);
        assert_eq!(deletion.fetch, Fetch::Nothing, "{}", deletion.event_type);
    }
}

#[test]
fn ranks_are_unique_within_a_kind_so_that_ties_fall_the_same_way_everywhere() {
    let ranks: BTreeSet<_> = RULES.iter().map(|rule| (rule.resource, rule.rank)).collect();
    assert_eq!(ranks.len(), RULES.len());
}

#[test]
fn unknown_types_are_placed_by_their_family() {
    assert_eq!(kind_of("session.brand_new"), Some(ResourceKind::Session));
    assert_eq!(kind_of("session.thread_brand_new"), Some(ResourceKind::SessionThread));
    assert_eq!(kind_of("memory_store.brand_new"), Some(ResourceKind::MemoryStore));
    assert_eq!(kind_of("webhook.test"), None);
    assert_eq!(kind_of("nonsense"), None);
}
