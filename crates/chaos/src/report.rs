//! The table of all scenarios, for people, machines and the documents.

mod machine;
mod markdown;

use crate::load::Counts;
use crate::pace::Pace;
use crate::scenario::Scenario;
use crate::verdict::Figures;
use anyhow::{Context, Result};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// What became of one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) about: &'static str,
    /// From its beginning to its verdict.
    pub(crate) seconds: u64,
    pub(crate) sender: Counts,
    pub(crate) figures: Figures,
    /// Events that had used up their tries, before they were replayed.
    pub(crate) dead: u64,
    /// From the healing until everything was finished; none when that did not come true.
    pub(crate) settled_seconds: Option<f64>,
    /// Everything that is not as promised.
    pub(crate) complaints: Vec<String>,
}

impl Row {
    /// A scenario that could not be carried out: nothing is known, which is no good verdict.
    pub(crate) fn unfinished(scenario: &Scenario, seconds: u64, error: &anyhow::Error) -> Self {
        Self {
            scenario: scenario.name,
            about: scenario.about,
            seconds,
            sender: Counts::default(),
            figures: Figures::default(),
            dead: 0,
            settled_seconds: None,
            complaints: vec![format!("could not be carried out: {error:#}")],
        }
    }

    /// The time to settle, for people.
    pub(crate) fn settled(&self) -> String {
        self.settled_seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.1} s"))
    }

    fn cells(&self) -> [String; HEAD.len()] {
        let (sender, figures) = (&self.sender, &self.figures);
        [
            self.scenario.to_owned(),
            sender.sent.to_string(),
            sender.acknowledged.to_string(),
            sender.non_2xx().to_string(),
            sender.unanswered.to_string(),
            figures.accepted.to_string(),
            figures.applied.to_string(),
            figures.superseded.to_string(),
            figures.ignored.to_string(),
            self.dead.to_string(),
            figures.lost.to_string(),
            figures.doubled.to_string(),
            self.settled(),
            if self.complaints.is_empty() { "fine" } else { "NOT FINE" }.to_owned(),
        ]
    }
}

const HEAD: [&str; 14] = [
    "scenario",
    "sent",
    "acknowledged",
    "non-2xx",
    "unanswered",
    "accepted",
    "applied",
    "superseded",
    "ignored",
    "dead",
    "lost",
    "twice",
    "settled",
    "verdict",
];

/// All rows of a run, and how it was made.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    seed: u64,
    pace: Pace,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) const fn new(seed: u64, pace: Pace) -> Self {
        Self { seed, pace, rows: Vec::new() }
    }

    /// Whether there is no complaint.
    pub(crate) fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.complaints.is_empty())
    }

    /// Writes it to standard output.
    pub(crate) fn write(&self, json: bool) -> Result<()> {
        if json {
            return write_out(&serde_json::to_string_pretty(self).context("cannot write JSON")?);
        }
        let mut table = plain_table();
        table.set_header(HEAD);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        write_out(&table.trim_fmt())
    }

    /// Writes it between the markers of a document.
    pub(crate) fn write_markdown(&self, path: &Path) -> Result<()> {
        let machine = machine::describe();
        let table = markdown::table(&HEAD, self.rows.iter().map(Row::cells));
        let made = format!(
            "Made by `scripts/chaos` on {machine}. {} new events per second, faults of {} s, {} rounds, seed {}.",
            self.pace.rate,
            self.pace.length.as_secs(),
            self.pace.rounds,
            self.seed
        );
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = markdown::between_markers(&text, &format!("{made}\n\n{table}"))?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The catalogue, for people.
pub(crate) fn list(scenarios: &[Scenario]) -> String {
    let mut table = plain_table();
    table.set_header(["scenario", "short", "what happens"]);
    for scenario in scenarios {
        table.add_row([scenario.name, if scenario.short { "yes" } else { "" }, scenario.about]);
    }
    table.trim_fmt()
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Writes a text to standard output.
pub(crate) fn write_out(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").context("cannot write to standard output")
}
