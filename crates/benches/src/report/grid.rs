//! A table with a title.

use comfy_table::{ContentArrangement, Table, presets};

pub(super) struct Grid {
    pub(super) title: String,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Sentences below it.
    pub(super) notes: Vec<String>,
}

impl Grid {
    pub(super) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        let notes: Vec<&str> = self.notes.iter().flat_map(|note| [note.as_str(), "\n"]).collect();
        format!("{}\n{table}\n{}", self.title, notes.concat())
    }

    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = vec!["---".to_owned(); self.header.len()];
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        let notes: Vec<&str> = self.notes.iter().flat_map(|note| ["\n", note.as_str(), "\n"]).collect();
        let (header, rule, notes) = (line(&self.header), line(&rule), notes.concat());
        format!("### {}\n\n{header}{rule}{rows}{notes}", self.title)
    }
}
