//! Tables in documents.

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- chaos: begin -->";
const END: &str = "<!-- chaos: end -->";

/// A table; all columns but the first and the last hold figures.
pub(super) fn table<const N: usize>(head: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<String> =
        (1..=N).map(|column| if column == 1 || column == N { "---" } else { "---:" }.to_owned()).collect();
    let mut text = line(&head.map(str::to_owned)) + &line(&rule);
    for cells in rows {
        text += &line(&cells);
    }
    text
}

/// Replaces what stands between the markers.
///
/// # Errors
/// When they are not there.
pub(super) fn between_markers(document: &str, new: &str) -> Result<String> {
    let missing = || format!("the document has no {BEGIN} with {END} behind it");
    let (before, rest) = document.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", new.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_per_row_and_figures_to_the_right() {
        let rows = [["calm".to_owned(), "7".to_owned(), "fine".to_owned()]].into_iter();
        let written = table(&["scenario", "sent", "verdict"], rows);
        assert_eq!(written, "| scenario | sent | verdict |\n| --- | ---: | --- |\n| calm | 7 | fine |\n");
    }

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let written = between_markers(&document, "new\n").unwrap();
        assert_eq!(written, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(between_markers(&written, "new").unwrap(), written);
        assert!(between_markers("no markers", "new").is_err());
    }
}
