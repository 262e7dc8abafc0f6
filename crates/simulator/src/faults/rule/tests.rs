use super::*;

fn faults(rules: Vec<Rule>) -> Faults {
    let mut faults = Faults::new(3);
    faults.replace(rules);
    faults
}

#[test]
fn a_prefix_matches_below_itself_and_a_star_any_characters() {
    let table = [
        ("/v1/sessions/a", "/v1/sessions/a/events", true),
        ("/v1/sessions/a", "/v1/sessions/b", false),
        ("/v1/sessions/*/events", "/v1/sessions/a/events", true),
        ("/v1/sessions/*/events", "/v1/sessions/a", false),
        ("/v1/sessions/*/events", "/v1/sessions/a/events/stream", false),
        ("*/threads*", "/v1/sessions/a/threads/b/events", true),
        ("*", "", true),
    ];
    for (pattern, path, expected) in table {
        assert_eq!(Rule::failing(pattern.into(), 500).matches("GET", path, ""), expected, "{pattern} {path}");
    }
}

#[test]
fn a_rule_strikes_as_often_as_it_says_then_the_next_one_does() {
    let twice = Rule { times: Some(2), ..Rule::failing("/v1".into(), 500) };
    let mut faults = faults(vec![twice, Rule::failing("/v1".into(), 429)]);
    let statuses: Vec<_> =
        (0..4).map(|_| faults.strike("GET", "/v1/x", "").and_then(|rule| rule.status)).collect();
    assert_eq!(statuses, [Some(500), Some(500), Some(429), Some(429)]);
}

#[test]
fn a_rule_for_one_method_leaves_the_others_alone() {
    let mut faults = faults(vec![Rule { method: Some("post".into()), ..Rule::failing("/".into(), 500) }]);
    assert!(faults.strike("GET", "/v1/x", "").is_none());
    assert!(faults.strike("POST", "/v1/x", "").is_some());
}

#[test]
fn probability_is_about_the_share_of_calls_and_repeats_with_the_seed() {
    let run = || {
        let mut faults = faults(vec![Rule { probability: 0.3, ..Rule::failing("/".into(), 500) }]);
        (0..1000).map(|_| faults.strike("GET", "/", "").is_some()).collect::<Vec<_>>()
    };
    let struck = run().into_iter().filter(|struck| *struck).count();
    assert!((230..370).contains(&struck), "{struck}");
    assert_eq!(run(), run());
}
