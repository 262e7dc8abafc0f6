//! What a load met with.

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use std::time::Duration;

/// Answers by kind, and how long they took.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// Answers 2xx.
    pub(crate) ok: u64,
    /// Every other answer.
    pub(crate) refused: u64,
    /// Requests that should have been sent and never were, because all connections waited for answers.
    pub(crate) missed: u64,
    /// Time during which the answers came.
    pub(crate) took: Duration,
    latency: Histogram<u64>,
}

impl Outcome {
    pub(super) fn new() -> Result<Self> {
        // Three digits, from microseconds to a minute.
        let latency = Histogram::new_with_bounds(1, 60_000_000, 3).context("cannot make a histogram")?;
        Ok(Self { ok: 0, refused: 0, missed: 0, took: Duration::ZERO, latency })
    }

    pub(super) fn count(&mut self, status: u16, latency: Duration) {
        if (200..300).contains(&status) {
            self.ok += 1;
        } else {
            self.refused += 1;
        }
        self.record(latency);
    }

    /// A request that was not sent after so long.
    pub(super) fn miss(&mut self, waited: Duration) {
        self.missed += 1;
        self.record(waited);
    }

    fn record(&mut self, latency: Duration) {
        self.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn add(&mut self, other: &Self) -> Result<()> {
        self.ok += other.ok;
        self.refused += other.refused;
        self.missed += other.missed;
        self.latency.add(&other.latency).context("histograms differ")
    }

    /// Answers 2xx per second.
    pub(crate) fn rate(&self) -> f64 {
        ratio(self.ok, self.took)
    }

    /// The latency in milliseconds that this share of the answers did not exceed.
    pub(crate) fn milliseconds(&self, quantile: f64) -> f64 {
        let micros = self.latency.value_at_quantile(quantile);
        f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1_000.0
    }
}

/// Things per second.
fn ratio(count: u64, took: Duration) -> f64 {
    float(count) / took.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}
