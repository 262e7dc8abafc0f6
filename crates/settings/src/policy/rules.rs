//! Rules, checked.

use super::file;
use super::place::Place;
use chrono::TimeDelta;
use domain::policy::{Conditions, Glob, Patience, PolicyRule, Route};
use domain::review::ToolKind;
use std::collections::BTreeSet;
use std::time::Duration;
use toml::Spanned;

/// The longest that a person can be given.
const LONGEST_DUE: Duration = Duration::from_hours(366 * 24);

/// What people are given where no rule says anything else.
pub(super) fn patience(person: Option<&file::Person>, place: &mut Place<'_>) -> Patience {
    let due = person.and_then(|person| person.due.as_ref());
    let severity = person.and_then(|person| person.severity.as_ref());
    with_patience(Patience::DEFAULT, due, severity, place)
}

fn with_patience(
    or: Patience,
    due: Option<&Spanned<String>>,
    severity: Option<&Spanned<String>>,
    place: &mut Place<'_>,
) -> Patience {
    let mut patience = or;
    if let Some(due) = due {
        let parsed = humantime::parse_duration(due.get_ref()).ok();
        let parsed = parsed.filter(|due| *due >= Duration::from_secs(1) && *due <= LONGEST_DUE);
        match parsed.and_then(|due| TimeDelta::from_std(due).ok()) {
            Some(parsed) => patience.due = parsed,
            None => place.note(Some(due.span()), "due must be a duration such as 4h, from 1s to a year"),
        }
    }
    if let Some(severity) = severity {
        match severity.get_ref().parse() {
            Ok(parsed) => patience.severity = parsed,
            Err(_unknown) => {
                place.note(Some(severity.span()), "severity must be \"info\", \"warning\" or \"critical\"");
            }
        }
    }
    patience
}

/// All rules, in order.
pub(super) fn rules(
    rules: Vec<Spanned<file::Rule>>,
    patience: Patience,
    executors: &BTreeSet<String>,
    place: &mut Place<'_>,
) -> Vec<PolicyRule> {
    let mut checked: Vec<PolicyRule> = Vec::new();
    for (index, rule) in rules.into_iter().enumerate() {
        let span = rule.span();
        let rule = rule.into_inner();
        let name = rule.name.clone().unwrap_or_else(|| format!("rule {}", index + 1));
        if let Some(before) = checked.iter().find(|before| before.when == Conditions::default()) {
            let problem = format!("{name} is never reached: {} before it matches everything", before.name);
            place.note(Some(span), &problem);
        }
        let when = conditions(&rule, place);
        if let Some(route) = route(&rule, &when, patience, executors, place) {
            checked.push(PolicyRule { name, when, route });
        }
    }
    checked
}

fn conditions(rule: &file::Rule, place: &mut Place<'_>) -> Conditions {
    let mut texts = |name: &str, texts: Option<&Spanned<file::Texts>>| -> Vec<String> {
        let Some(texts) = texts else { return Vec::new() };
        let list = texts.get_ref().as_slice();
        if list.is_empty() || list.iter().any(String::is_empty) {
            place.note(Some(texts.span()), &format!("{name} must not be empty: leave it out to match all"));
        }
        list.to_vec()
    };
    let globs = |texts: Vec<String>| texts.into_iter().map(Glob::new).collect();
    let agents = globs(texts("agent", rule.agent.as_ref()));
    let tools = globs(texts("tool", rule.tool.as_ref()));
    let servers = globs(texts("server", rule.server.as_ref()));
    let permissions = texts("permission", rule.permission.as_ref());
    let kinds = texts("kind", rule.kind.as_ref());
    let mut known = Vec::new();
    for kind in kinds {
        match kind.parse::<ToolKind>() {
            Ok(kind) => known.push(kind),
            Err(error) => place.note(rule.kind.as_ref().map(Spanned::span), &error.to_string()),
        }
    }
    Conditions { agents, tools, servers, kinds: known, permissions }
}

fn route(
    rule: &file::Rule,
    when: &Conditions,
    patience: Patience,
    executors: &BTreeSet<String>,
    place: &mut Place<'_>,
) -> Option<Route> {
    let word = rule.route.get_ref().as_str();
    let mut only = |member: &str, given: Option<&Spanned<String>>, route: &str| {
        if let Some(given) = given
            && word != route
        {
            place.note(Some(given.span()), &format!("{member} goes with route = {route:?} only"));
        }
    };
    only("due", rule.due.as_ref(), "person");
    only("severity", rule.severity.as_ref(), "person");
    only("message", rule.message.as_ref(), "deny");
    only("executor", rule.executor.as_ref(), "executor");
    let span = Some(rule.route.span());
    match (word, &rule.executor) {
        ("person", _) => {
            Some(Route::Person(with_patience(patience, rule.due.as_ref(), rule.severity.as_ref(), place)))
        }
        ("deny", _) => {
            Some(Route::Deny { message: rule.message.as_ref().map(|message| message.get_ref().clone()) })
        }
        ("allow", _) if when.kinds.is_empty() || when.kinds.contains(&ToolKind::CustomToolUse) => {
            let problem = "custom tools need a result and cannot be allowed: say kind = [\"tool_use\", \"mcp_tool_use\"], or one of them";
            place.note(span, problem);
            None
        }
        ("allow", _) => Some(Route::Allow),
        ("executor", Some(name)) if executors.contains(name.get_ref()) => {
            Some(Route::Executor { name: name.get_ref().clone() })
        }
        ("executor", Some(name)) => {
            place.note(Some(name.span()), &format!("there is no table [executors.{}]", name.get_ref()));
            None
        }
        ("executor", None) => {
            place.note(span, "route = \"executor\" needs executor = \"NAME\"");
            None
        }
        _ => {
            place.note(span, "route must be \"person\", \"allow\", \"deny\" or \"executor\"");
            None
        }
    }
}
