use super::*;
use std::collections::BTreeSet;

const WITHOUT_API: [ResourceKind; 2] = [ResourceKind::ExternalKey, ResourceKind::UserProfile];

#[test]
fn no_type_has_two_rows() {
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.event_type).collect();
    assert_eq!(names.len(), RULES.len());
}

#[test]
fn the_table_holds_every_type_of_the_platform_and_of_both_contracts() {
    // 44 of Managed Agents, 5 of organizations, 1 of older docs, 3 of the flat contract, 2 classic ones.
    assert_eq!(RULES.len(), 44 + 5 + 1 + 3 + 2);
    let of = |source| RULES.iter().filter(|rule| rule.source == source).count();
    assert_eq!((of(Source::Documented), of(Source::SdkOnly), of(Source::Organization)), (38, 6, 5));
    assert_eq!((of(Source::OlderDocuments), of(Source::Contract), of(Source::Classic)), (1, 3, 2));
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
fn every_kind_that_the_api_gives_out_is_fetched() {
    for rule in RULES.iter().filter(|rule| rule.consequence != Consequence::Deletes) {
        let expected: &[Fetch] = if rule.resource == ResourceKind::Message {
            &[Fetch::Payload]
        } else if WITHOUT_API.contains(&rule.resource) {
            &[Fetch::Unavailable]
        } else {
            &[Fetch::Resource, Fetch::ResourceAndCause]
        };
        assert!(expected.contains(&rule.fetch), "{}", rule.event_type);
        assert!(!rule.happens_when.is_empty());
    }
}

#[test]
fn an_unknown_type_looks_at_its_resource_again_where_there_is_one_to_look_at() {
    for kind in ResourceKind::ALL {
        let fetch = fallback_rule(kind).map(|rule| rule.fetch);
        let known = if WITHOUT_API.contains(&kind) { Fetch::Unavailable } else { Fetch::Resource };
        assert_eq!(fetch, (kind != ResourceKind::Message).then_some(known), "{kind}");
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
