//! What is being measured right now, on standard error.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar with one step for each run of each scenario; plain lines where nobody watches.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(runs: u64) -> Result<Self> {
        let bar = ProgressBar::new(runs);
        let template = "{elapsed_precise} [{bar:30}] {pos}/{len} {prefix}: {msg}";
        bar.set_style(ProgressStyle::with_template(template).context("a bad template")?);
        bar.enable_steady_tick(Duration::from_millis(500));
        Ok(Self { bar })
    }

    /// Another run begins.
    pub(crate) fn run(&self, scenario: &str, run: u32) {
        self.bar.set_prefix(format!("{scenario}, run {run}"));
        self.step("starting");
    }

    /// The run has come so far.
    pub(crate) fn step(&self, what: &str) {
        self.bar.set_message(what.to_owned());
        if self.bar.is_hidden() {
            eprintln!("{:5} s  {}: {what}", self.bar.elapsed().as_secs(), self.bar.prefix());
        }
    }

    /// The run is over.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Says something that stays.
    pub(crate) fn remark(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
