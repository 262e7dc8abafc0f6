use super::{Deliveries, REPEATS_AFTER};
use signing::Secret;
use std::collections::HashSet;

fn deliveries(run: &str) -> Deliveries {
    Deliveries::new(Secret::parse("whsec_MDEyMzQ1Njc4OWFiY2RlZg==").unwrap(), run, 10)
}

fn next_id(deliveries: &Deliveries) -> String {
    let mut request = Vec::new();
    deliveries.write_next(&mut request);
    let text = String::from_utf8(request).unwrap();
    text.split("webhook-id: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
}

#[test]
fn no_two_events_share_an_id_and_neighbours_are_far_apart() {
    let deliveries = deliveries("a");
    let ids: Vec<String> = (0..1_000).map(|_| next_id(&deliveries)).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1_000);
    // An ordered sequence would begin with one digit; these begin with all of them.
    let first: HashSet<_> = ids.iter().map(|id| id.as_bytes()[5]).collect();
    assert_eq!(first.len(), 16);
    assert!(ids.windows(2).filter(|pair| pair[0] < pair[1]).count() < 600);
}

#[test]
fn runs_share_no_ids() {
    assert_ne!(next_id(&deliveries("a")), next_id(&deliveries("b")));
}

#[test]
fn one_delivery_in_five_is_a_duplicate_of_an_earlier_one() {
    let deliveries = deliveries("a").repeating_every(5);
    let skipped: HashSet<String> = (0..REPEATS_AFTER).map(|_| next_id(&deliveries)).collect();
    let mut seen = skipped;
    let repeated = (0..1_000).filter(|_| !seen.insert(next_id(&deliveries))).count();
    assert_eq!(repeated, 200);
}
