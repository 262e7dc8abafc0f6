//! Tables, in the plain style of the command lines around us: no borders, headers in capitals.

use super::Colours;
use super::text::harmless;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, presets};

/// Lines that a row of a list may take on a narrow terminal; what does not fit ends in an ellipsis.
const LINES_OF_A_LIST: usize = 3;

/// A table under construction.
pub(crate) struct Rows {
    table: Table,
    colours: Colours,
    lines_per_row: usize,
}

impl Rows {
    /// A list, whose rows stay short: there is a command that shows all of each.
    pub(crate) fn list(header: &[&str], colours: Colours) -> Self {
        Self { lines_per_row: LINES_OF_A_LIST, ..Self::with_header(header, colours) }
    }

    /// A table with a header. The first column holds what people copy, and is never broken.
    pub(crate) fn with_header(header: &[&str], colours: Colours) -> Self {
        let mut rows = Self::without_header(colours);
        let cells = header.iter().map(|title| {
            let cell = Cell::new(title.to_uppercase());
            match colours {
                Colours::OnTerminals => cell.add_attribute(Attribute::Bold),
                Colours::Never => cell,
            }
        });
        rows.table.set_header(cells.collect::<Vec<_>>());
        rows
    }

    /// A table of names and values.
    pub(crate) fn without_header(colours: Colours) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        Self { table, colours, lines_per_row: usize::MAX }
    }

    /// Adds a line.
    pub(crate) fn add<const N: usize>(&mut self, texts: [&str; N]) -> &mut Self {
        let cells = texts.map(|text| {
            let cell = Cell::new(harmless(text));
            match (self.colours, colour_of(text)) {
                (Colours::OnTerminals, Some(colour)) => cell.fg(colour),
                (Colours::OnTerminals | Colours::Never, _) => cell,
            }
        });
        let mut row = Row::from(cells);
        row.max_height(self.lines_per_row);
        self.table.add_row(row);
        self
    }

    /// The lines, each with its line feed.
    pub(crate) fn render(mut self) -> String {
        for column in self.table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        if let Some(first) = self.table.column_mut(0) {
            first.set_constraint(ColumnConstraint::ContentWidth);
        }
        self.table.trim_fmt() + "\n"
    }
}

/// The words that are worth a colour.
fn colour_of(text: &str) -> Option<Color> {
    match text {
        "applied" | "ok" => Some(Color::Green),
        "pending" | "warning" => Some(Color::Yellow),
        "dead" | "failed" => Some(Color::Red),
        "superseded" | "ignored" | "discarded" | "obsolete" => Some(Color::DarkGrey),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
