use super::*;
use domain::Severity;
use domain::policy::{OnFailure, Route};
use domain::review::{Question, ToolKind};

fn read(text: &str) -> Result<ReviewPolicy, String> {
    let mut problems = Problems::new();
    let parsed = parse(text, Path::new("policy.toml"), &mut problems);
    problems.into_result(parsed).map_err(|problems| problems.to_string())
}

fn question(kind: ToolKind, tool: &str) -> Question {
    Question {
        kind,
        tool: tool.to_owned(),
        server: None,
        permission: (!kind.takes_result()).then(|| "ask".to_owned()),
        agent_id: None,
        agent_name: Some("Support desk".to_owned()),
    }
}

#[test]
fn the_example_of_the_documents_says_what_they_say() {
    let document = include_str!("../../../../docs/REVIEWS.md");
    let example = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let example = example.replace("secret_file = \"refunds.secret\"", "secret = \"whsec_c2VjcmV0Cg==\"");
    let read = read(&example).unwrap();
    let route = |kind, tool| read.policy.route(&question(kind, tool)).route;
    assert_eq!(route(ToolKind::ToolUse, "read"), Route::Allow);
    assert_eq!(
        route(ToolKind::CustomToolUse, "issue_refund"),
        Route::Executor { name: "refunds".to_owned() }
    );
    assert!(matches!(route(ToolKind::ToolUse, "bash"), Route::Deny { message: Some(_) }));
    assert!(matches!(route(ToolKind::CustomToolUse, "other"), Route::Person(_)));
    let refunds = &read.executors["refunds"];
    assert!(refunds.plan.at_most_once);
}

#[test]
fn an_empty_file_is_a_person_for_everything() {
    let read = read("").unwrap();
    assert_eq!(read.policy, Policy::default());
    assert!(read.executors.is_empty());
}

#[test]
fn what_is_not_said_has_a_default() {
    let read = read(
        "[person]\ndue = \"30m\"\n\
         [[rules]]\nroute = \"person\"\nseverity = \"critical\"\n\
         [executors.x]\nurl = \"http://localhost:1/x\"\nsecret = \"whsec_c2VjcmV0Cg==\"\n",
    )
    .unwrap();
    let rule = &read.policy.rules[0];
    assert_eq!(rule.name, "rule 1");
    let Route::Person(patience) = rule.route else { panic!("{rule:?}") };
    assert_eq!((patience.due.num_minutes(), patience.severity), (30, Severity::Critical));
    let x = &read.executors["x"];
    assert_eq!((x.timeout.as_secs(), x.plan.retry.tries()), (20, 3));
    assert_eq!((x.plan.at_most_once, x.plan.on_failure), (false, OnFailure::Person));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let executor = "[executors.x]\nurl = \"http://localhost/x\"\nsecret = \"s\"\n";
    for (text, line, reason) in [
        ("rules = 5", 1, "invalid type"),
        ("[[rules]]\nroute = \"person\"\ntol = \"x\"", 3, "unknown field `tol`"),
        ("[[rules]]\ntool = \"x\"", 1, "missing field `route`"),
        ("[[rules]]\nroute = \"nobody\"", 2, "route must be"),
        ("[[rules]]\nkind = \"tool\"\nroute = \"deny\"", 2, "unknown kind"),
        ("[[rules]]\ntool = 5\nroute = \"deny\"", 2, "a text or a list of texts"),
        ("[[rules]]\ntool = []\nroute = \"deny\"", 2, "must not be empty"),
        ("[[rules]]\nroute = \"allow\"", 2, "custom tools need a result"),
        ("[[rules]]\nkind = \"custom_tool_use\"\nroute = \"allow\"", 3, "custom tools need a result"),
        ("[[rules]]\nroute = \"person\"\ndue = \"soon\"", 3, "due must be"),
        ("[person]\nseverity = \"loud\"", 2, "severity must be"),
        ("[[rules]]\nroute = \"deny\"\ndue = \"1h\"", 3, "due goes with route = \"person\""),
        ("[[rules]]\nroute = \"executor\"", 2, "needs executor"),
        ("[[rules]]\nroute = \"executor\"\nexecutor = \"y\"", 3, "no table [executors.y]"),
        ("[[rules]]\nroute = \"deny\"\n[[rules]]\nroute = \"deny\"", 3, "never reached"),
        ("[executors.x]\nurl = \"http://localhost/x\"", 1, "needs a secret"),
        ("[executors.x]\nurl = \"localhost\"\nsecret = \"s\"", 2, "url must begin"),
        ("[executors.x]\nurl = \"http://x\"\nsecret_file = \"nowhere\"", 3, "cannot read nowhere"),
        (&format!("{executor}timeout = \"1h\""), 4, "timeout must be"),
        (&format!("{executor}tries = 0"), 4, "tries must be"),
        (&format!("{executor}rests = [\"never\"]"), 4, "rests must be"),
        (&format!("{executor}on_failure = \"shrug\""), 4, "on_failure must be"),
        ("[[rules]", 1, ""),
    ] {
        let told = read(text).unwrap_err();
        assert!(told.contains(&format!("policy.toml, line {line}: ")), "{text}\n{told}");
        assert!(told.contains(reason), "{text}\n{told}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_no_secret_is() {
    let told = read(
        "[[rules]]\nroute = \"nobody\"\n[executors.x]\nurl = \"ftp://u:hunter2@x\"\nsecret = \"whsec_%hunter2%\"\n",
    )
    .unwrap_err();
    for part in ["line 2", "line 4", "line 5"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    let read = read("[executors.x]\nurl = \"http://x\"\nsecret = \"whsec_c2VjcmV0Cg==\"\n").unwrap();
    assert!(!format!("{read:?}").contains("c2Vj"));
}
