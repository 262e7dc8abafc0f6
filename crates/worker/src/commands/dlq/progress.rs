//! How far a replay is, for whoever watches.

use indicatif::{ProgressBar, ProgressStyle};
use ops::dead::Progress;

/// A progress bar on standard error; nothing where that is no terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar that shows itself with the first progress.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::no_length();
        // An unreadable template would only cost looks, so the default stays then.
        if let Ok(style) = ProgressStyle::with_template("replaying {wide_bar} {pos}/{len}, {eta} left") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows the progress.
    pub(crate) fn show(&self, progress: Progress) {
        self.0.set_length(progress.total.unsigned_abs());
        self.0.set_position(progress.replayed.unsigned_abs());
    }
}

impl Drop for Bar {
    /// Leaves the terminal as it was, for the answer.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
