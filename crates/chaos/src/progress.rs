//! What a person sees while it runs.

use crate::load::Journal;
use crate::report::Row;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};

/// How often the figures are shown.
const EVERY: Duration = Duration::from_secs(5);

/// Lines on standard error, each with its scenario and the seconds since that began.
pub(crate) struct Progress {
    began: Instant,
    head: String,
}

impl Progress {
    pub(crate) fn new(number: usize, of: usize, name: &str) -> Self {
        Self { began: Instant::now(), head: format!("[{number:>2}/{of}] {name}") }
    }

    pub(crate) fn say(&self, text: &str) {
        eprintln!("{} {:>4} s: {text}", self.head, self.seconds());
    }

    /// Shows the sender's figures, over and over. Never returns.
    pub(crate) async fn watch(&self, journal: &Journal) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let counts = journal.counts();
            let (sent, acknowledged, non_2xx) = (counts.sent, counts.acknowledged, counts.non_2xx());
            self.say(&format!("{sent} sent, {acknowledged} acknowledged, {non_2xx} answers other than 2xx"));
        }
    }

    pub(crate) fn verdict(&self, row: &Row) {
        for complaint in &row.complaints {
            self.say(&format!("COMPLAINT {complaint}"));
        }
        let verdict = if row.complaints.is_empty() { "fine" } else { "NOT FINE" };
        self.say(&format!(
            "{verdict}: {} sent, {} acknowledged, {} lost, {} twice, settled {} after healing",
            row.sender.sent,
            row.sender.acknowledged,
            row.figures.lost,
            row.figures.doubled,
            row.settled()
        ));
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }
}
