//! Where in the file a mistake is.

use crate::problems::Problems;
use std::ops::Range;
use std::path::Path;

/// Notes mistakes with their lines.
pub(super) struct Place<'a> {
    text: &'a str,
    path: &'a Path,
    problems: &'a mut Problems,
    clean: bool,
}

impl<'a> Place<'a> {
    pub(super) fn new(text: &'a str, path: &'a Path, problems: &'a mut Problems) -> Self {
        Self { text, path, problems, clean: true }
    }

    /// Notes a mistake at these bytes of the file.
    pub(super) fn note(&mut self, span: Option<Range<usize>>, problem: &str) {
        self.clean = false;
        let before = span.and_then(|span| self.text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        self.problems.note(format!("policy file {}{line}: {problem}", self.path.display()));
    }

    /// Whether nothing was noted.
    pub(super) const fn is_clean(&self) -> bool {
        self.clean
    }
}
