//! How long and how often things are broken, and the dice.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use std::time::Duration;

/// The measures of a run.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Pace {
    /// How long a fault lasts.
    pub(crate) length: Duration,
    /// How often something is killed.
    pub(crate) rounds: u32,
    /// New events per second; with duplicates, a fifth more deliveries.
    pub(crate) rate: u32,
}

/// Dice that fall the same way for the same seed, scenario and purpose.
#[derive(Debug)]
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64, scenario: &str, purpose: &str) -> Self {
        // FNV-1a: the standard library's hash may differ between its versions.
        let bytes = scenario.bytes().chain(purpose.bytes());
        let mixed = bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(StdRng::seed_from_u64(mixed))
    }

    /// A number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end.max(1))
    }

    /// Whether a thing of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// A time between the two.
    pub(crate) fn between(&mut self, shortest_ms: u64, longest_ms: u64) -> Duration {
        Duration::from_millis(self.0.random_range(shortest_ms..=longest_ms.max(shortest_ms)))
    }
}
