//! Figures in a document that people wrote.

use anyhow::{Context, Result};
use std::path::Path;

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// Replaces what stands between the markers of a file.
pub(crate) fn write_between_markers(path: &Path, text: &str) -> Result<()> {
    let document =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let renewed = between_markers(&document, text)
        .with_context(|| format!("{} has no {BEGIN} and {END} after it", path.display()))?;
    std::fs::write(path, renewed).with_context(|| format!("cannot write {}", path.display()))
}

pub(super) fn between_markers(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", text.trim()))
}
