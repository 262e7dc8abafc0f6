//! Turns as text, for terminals and for Markdown.

use crate::commands::events::harmless_lines;
use ops::transcripts::{Turn, turn};
use serde_json::Value;
use std::fmt::Write as _;

/// How turns are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// For a terminal: control characters are replaced.
    Plain,
    /// For a Markdown file.
    Markdown,
}

/// The head above the events of a list.
pub(super) fn list_head(style: Style, session: &str, thread: Option<&str>) -> String {
    let name = thread.map_or_else(|| format!("Session {session}"), |thread| format!("Thread {thread}"));
    match style {
        Style::Plain => format!("== {name}\n\n"),
        Style::Markdown => format!("# {name}\n\n"),
    }
}

/// What the lines of a part say to a person.
pub(super) fn turns(style: Style, lines: &[u8]) -> String {
    let mut text = String::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        // A line that is no JSON cannot have come from the API; it is in the export all the same.
        let Some(turn) = serde_json::from_slice::<Value>(line).ok().as_ref().and_then(turn) else { continue };
        push(&mut text, style, &turn);
    }
    text
}

fn push(text: &mut String, style: Style, turn: &Turn) {
    let at = turn.at.as_deref().unwrap_or("-");
    let head = match style {
        Style::Plain => format!("[{at}] {}: {}", turn.who, turn.what),
        Style::Markdown => format!("## {}: {}\n\n*{at}*", turn.who, turn.what),
    };
    let _infallible = writeln!(text, "{}", one_line(&head, style)).is_ok();
    if !turn.text.is_empty() {
        if style == Style::Markdown {
            text.push('\n');
        }
        let words = match style {
            Style::Plain => harmless_lines(&turn.text),
            Style::Markdown => turn.text.clone(),
        };
        text.push_str(words.trim_end_matches('\n'));
        text.push('\n');
    }
    text.push('\n');
}

/// Names of tools come from strangers.
fn one_line(head: &str, style: Style) -> String {
    match style {
        Style::Plain => crate::print::text::harmless(head),
        Style::Markdown => head.to_owned(),
    }
}
