use super::{Registry, encode};
use prometheus_client::metrics::counter::Counter;

#[test]
fn the_text_holds_the_metric_and_ends_as_the_format_demands() {
    let mut registry = Registry::default();
    let counter: Counter = Counter::default();
    registry.register("example_things", "Things that were seen", counter.clone());
    counter.inc();
    let text = encode(&registry).unwrap();
    assert!(text.contains("example_things_total 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
