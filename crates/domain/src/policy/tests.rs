use super::*;
use proptest::prelude::*;

fn question(tool: &str) -> Question {
    Question {
        kind: ToolKind::ToolUse,
        tool: tool.to_owned(),
        server: None,
        permission: Some("ask".to_owned()),
        agent_id: Some("agent_1".to_owned()),
        agent_name: Some("Support desk".to_owned()),
    }
}

fn globs(patterns: &[&str]) -> Vec<Glob> {
    patterns.iter().map(|pattern| Glob::new(*pattern)).collect()
}

fn rule(name: &str, when: Conditions, route: Route) -> PolicyRule {
    PolicyRule { name: name.to_owned(), when, route }
}

fn policy(rules: Vec<PolicyRule>) -> Policy {
    Policy { rules, ..Policy::default() }
}

#[test]
fn without_rules_a_person_answers_everything() {
    for kind in ToolKind::ALL {
        let question = Question { kind, ..question("bash") };
        assert_eq!(Policy::default().route(&question).route, Route::Person(Patience::DEFAULT));
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let policy = policy(vec![
        rule("reads", Conditions { tools: globs(&["read_*"]), ..Conditions::default() }, Route::Allow),
        rule("rest", Conditions::default(), Route::Deny { message: None }),
        rule("never", Conditions::default(), Route::Allow),
    ]);
    let because = |tool| policy.route(&question(tool)).because;
    assert_eq!((because("read_file"), because("bash")), ("reads".to_owned(), "rest".to_owned()));
    assert_eq!(policy.route(&question("bash")).route, Route::Deny { message: None });
}

#[test]
fn every_condition_that_is_given_must_hold() {
    let all = Conditions {
        agents: globs(&["Support*"]),
        tools: globs(&["ba?h"]),
        servers: globs(&["git*"]),
        kinds: vec![ToolKind::McpToolUse],
        permissions: vec!["ask".to_owned()],
    };
    let fits = Question { kind: ToolKind::McpToolUse, server: Some("github".to_owned()), ..question("bash") };
    assert!(all.hold(&fits));
    for other in [
        Question { tool: "sh".to_owned(), ..fits.clone() },
        Question { kind: ToolKind::ToolUse, ..fits.clone() },
        Question { server: None, ..fits.clone() },
        Question { server: Some("jira".to_owned()), ..fits.clone() },
        Question { permission: None, ..fits.clone() },
        Question { agent_name: None, ..fits.clone() },
    ] {
        assert!(!all.hold(&other), "{other:?}");
    }
    let by_id = Conditions { agents: globs(&["agent_1"]), ..Conditions::default() };
    assert!(by_id.hold(&fits), "an agent is known by its id too");
}

#[test]
fn an_unknown_permission_goes_to_a_person_whatever_the_rule_says() {
    let executor = Route::Executor { name: "x".to_owned() };
    for route in [Route::Allow, Route::Deny { message: None }, executor] {
        let policy = policy(vec![rule("all", Conditions::default(), route)]);
        for permission in [Some("allow_unless_risky".to_owned()), Some(String::new()), None] {
            let routed = policy.route(&Question { permission, ..question("bash") });
            assert_eq!(routed.route, Route::Person(Patience::DEFAULT));
        }
    }
    let patience = Patience { due: TimeDelta::minutes(5), severity: Severity::Critical };
    let policy = policy(vec![rule("all", Conditions::default(), Route::Person(patience))]);
    let routed = policy.route(&Question { permission: Some("?".to_owned()), ..question("bash") });
    assert_eq!(routed.route, Route::Person(patience), "the rule's own patience stays");
}

#[test]
fn a_custom_tool_is_never_allowed_without_a_result() {
    let policy = policy(vec![rule("all", Conditions::default(), Route::Allow)]);
    let custom = Question { kind: ToolKind::CustomToolUse, permission: None, ..question("refund") };
    assert_eq!(policy.route(&custom).route, Route::Person(Patience::DEFAULT));
}

fn plan(at_most_once: bool) -> Plan {
    let retry = crate::RetryPolicy::new(3, vec![TimeDelta::seconds(5), TimeDelta::seconds(30)]).unwrap();
    Plan { retry, at_most_once, on_failure: OnFailure::Person }
}

#[test]
fn a_failed_call_is_repeated_after_its_rest_until_the_tries_are_used_up() {
    let now = DateTime::UNIX_EPOCH;
    for reached in [Reached::No, Reached::Maybe] {
        let next = |calls| plan(false).next_call(calls, reached, now, None, 0.5);
        let rests = [next(1), next(2), next(3), next(4)].map(|at| at.map(|at| (at - now).num_seconds()));
        assert_eq!(rests, [Some(5), Some(30), None, None]);
    }
    let asked = plan(false).next_call(1, Reached::Maybe, now, Some(TimeDelta::seconds(60)), 0.5);
    assert_eq!(asked, Some(now + TimeDelta::seconds(60)));
}

#[test]
fn at_most_once_means_that_only_calls_that_never_arrived_are_repeated() {
    let now = DateTime::UNIX_EPOCH;
    assert!(plan(true).next_call(1, Reached::No, now, None, 0.5).is_some());
    assert_eq!(plan(true).next_call(1, Reached::Maybe, now, None, 0.5), None);
    assert_eq!(plan(true).next_call(3, Reached::No, now, None, 0.5), None);
}

/// What a glob means, said in the slow way.
fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), None) => fits(rest, text),
        (Some(('*', rest)), Some((_, later))) => fits(rest, text) || fits(pattern, later),
        (Some(('?', rest)), Some((_, later))) => fits(rest, later),
        (Some((wanted, rest)), Some((found, later))) => wanted == found && fits(rest, later),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

proptest! {
    #[test]
    fn globs_mean_what_they_say(pattern in "[ab*?]{0,8}", text in "[abé]{0,8}") {
        let slow = fits(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
        prop_assert_eq!(Glob::new(pattern).matches(&text), slow);
    }

    #[test]
    fn whatever_is_not_understood_reaches_a_person(permission in ".{0,12}", tool in "[a-z_]{1,8}") {
        prop_assume!(permission != "ask");
        let policy = policy(vec![rule("all", Conditions::default(), Route::Allow)]);
        let routed = policy.route(&Question { permission: Some(permission), ..question(&tool) });
        prop_assert!(matches!(routed.route, Route::Person(_)));
    }
}
