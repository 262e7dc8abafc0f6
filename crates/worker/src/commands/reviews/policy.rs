//! `worker reviews policy`.

use crate::answer::Answer;
use crate::print::table::Rows;
use crate::print::{Colours, Form, json};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::policy::{Policy, Routed};
use domain::review::{Question, ToolKind};
use serde::Serialize;
use settings::{Problems, ReviewPolicy, read_policy};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker reviews policy policy.toml
  worker reviews policy policy.toml --kind tool_use --tool bash --agent 'Support desk'

Exit code 64 when the file has a mistake; all of them are told, each with its line.")]
pub(crate) struct Args {
    /// The policy file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Who would answer a use of this tool?
    #[arg(long, value_name = "NAME", help_heading = "Example question")]
    tool: Option<String>,

    /// What kind of tool it is
    #[arg(long, value_parser = kind(), default_value = "custom_tool_use", requires = "tool", help_heading = "Example question")]
    kind: ToolKind,

    /// The agent that asks, by id or name
    #[arg(long, value_name = "AGENT", requires = "tool", help_heading = "Example question")]
    agent: Option<String>,

    /// The MCP server that has the tool
    #[arg(long, value_name = "NAME", requires = "tool", help_heading = "Example question")]
    server: Option<String>,

    /// What the agent's own policy says [default: ask, and nothing for custom tools]
    #[arg(long, value_name = "WORD", requires = "tool", help_heading = "Example question")]
    permission: Option<String>,
}

fn kind() -> impl TypedValueParser<Value = ToolKind> {
    PossibleValuesParser::new(ToolKind::ALL.map(ToolKind::as_str)).try_map(|text| text.parse())
}

#[derive(Serialize)]
struct Report {
    rules: Vec<Rule>,
    executors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Example>,
}

#[derive(Serialize)]
struct Rule {
    name: String,
    route: &'static str,
    then: String,
}

#[derive(Serialize)]
struct Example {
    route: &'static str,
    then: String,
    because: String,
}

/// Checks a policy file.
pub(crate) fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let mut problems = Problems::new();
    let read = read_policy(&args.file, &mut problems);
    let ReviewPolicy { policy, executors } = problems.into_result(read)?;
    let example = question(args).map(|question| example(&policy, &question));
    let rule = |rule: &domain::policy::PolicyRule| Rule {
        name: rule.name.clone(),
        route: rule.route.as_str(),
        then: rule.route.to_string(),
    };
    let report = Report {
        rules: policy.rules.iter().map(rule).collect(),
        executors: executors.into_keys().collect(),
        example,
    };
    Ok(Answer::new(match form {
        Form::Json => json::object(&report)?,
        Form::Text(colours) => text(&report, &policy, colours),
    }))
}

fn question(args: &Args) -> Option<Question> {
    let asks = (!args.kind.takes_result()).then(|| "ask".to_owned());
    Some(Question {
        kind: args.kind,
        tool: args.tool.clone()?,
        server: args.server.clone(),
        permission: args.permission.clone().or(asks),
        agent_id: args.agent.clone(),
        agent_name: args.agent.clone(),
    })
}

fn example(policy: &Policy, question: &Question) -> Example {
    if question.needs_nobody() {
        let because = "the agent's own policy has answered it".to_owned();
        return Example { route: "nobody", then: "nothing to answer".to_owned(), because };
    }
    let Routed { route, because } = policy.route(question);
    Example { route: route.as_str(), then: route.to_string(), because }
}

fn text(report: &Report, policy: &Policy, colours: Colours) -> String {
    if let Some(example) = &report.example {
        return format!("{} ({})\n", example.then, example.because);
    }
    let mut rows = Rows::with_header(&["rule", "then"], colours);
    for rule in &report.rules {
        rows.add([&rule.name, &rule.then]);
    }
    rows.add(["(no rule matches)", &domain::policy::Route::Person(policy.patience).to_string()]);
    let executors = if report.executors.is_empty() { "none".to_owned() } else { report.executors.join(", ") };
    format!("{}\nThe file is right. Executors: {executors}\n", rows.render())
}
