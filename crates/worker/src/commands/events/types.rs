//! `worker events types`: the table of event types.

use crate::answer::Answer;
use crate::print::table::Rows;
use crate::print::{Colours, Form, json};
use domain::Rule;
use domain::rules::RULES;
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker events types
  worker events types --json | jq -r '.[] | select(.effects | contains(\"alert\")) | .type'

docs/EVENTS.md explains the columns.")]
pub(crate) struct Args {
    /// Print the table of docs/EVENTS.md
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

#[derive(Serialize)]
struct Row {
    #[serde(rename = "type")]
    event_type: &'static str,
    resource: &'static str,
    fetch: &'static str,
    rank: u8,
    effects: &'static str,
    source: &'static str,
    happens_when: &'static str,
}

impl From<&Rule> for Row {
    fn from(rule: &Rule) -> Self {
        Self {
            event_type: rule.event_type,
            resource: rule.resource.as_str(),
            fetch: rule.fetch_in_words(),
            rank: rule.rank,
            effects: rule.effects_in_words(),
            source: rule.source.as_str(),
            happens_when: rule.happens_when,
        }
    }
}

/// Prints the table.
pub(crate) fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let rows: Vec<Row> = RULES.iter().map(Row::from).collect();
    Ok(Answer::new(match form {
        Form::Json => json::list(&rows)?,
        Form::Text(_) if args.markdown => markdown(&rows),
        Form::Text(colours) => table(&rows, colours),
    }))
}

fn table(rows: &[Row], colours: Colours) -> String {
    let mut table = Rows::list(&["type", "resource", "fetched", "rank", "effects", "source"], colours);
    for row in rows {
        let rank = row.rank.to_string();
        table.add([row.event_type, row.resource, row.fetch, &rank, row.effects, row.source]);
    }
    table.render()
}

fn markdown(rows: &[Row]) -> String {
    let mut text = "| type | resource | fetched | rank | effects | source | happens when |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for row in rows {
        let Row { event_type, resource, fetch, rank, effects, source, happens_when } = row;
        // Writing into a text does not fail.
        let _written = writeln!(
            text,
            "| `{event_type}` | `{resource}` | {fetch} | {rank} | {effects} | {source} | {happens_when} |"
        );
    }
    text
}
