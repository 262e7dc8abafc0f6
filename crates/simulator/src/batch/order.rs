//! What a batch is asked to do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::world::Scenario;

/// A batch, as `POST /_sim/send` takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SendOrder {
    /// Distinct events that arrive with a valid signature.
    pub(crate) count: usize,
    /// Sessions they are about.
    pub(crate) sessions: usize,
    /// Extra copies of these events: a share of `count` when below 1, else a number.
    pub(crate) duplicates: f64,
    /// Sends in random order instead of the order in which things happened.
    pub(crate) shuffle: bool,
    /// Further events, correctly signed ten minutes ago; to be refused.
    pub(crate) stale: usize,
    /// Further events without a valid signature; to be refused.
    pub(crate) bad_signatures: usize,
    /// Further events that happen, but whose webhooks never arrive.
    pub(crate) dropped: usize,
    /// Share of the valid ones that never arrives either, by chance.
    pub(crate) drop: f64,
    pub(crate) dialect: DialectChoice,
    /// Weights of what ends a turn (or happens within it), by scenario; empty for the usual mix.
    pub(crate) mix: BTreeMap<Scenario, u32>,
    /// Deliveries begun per second; null for as fast as possible.
    pub(crate) rate: Option<f64>,
    /// Deliveries under way at once.
    pub(crate) concurrency: usize,
    /// Repeats a batch; null draws one from the simulator's seed.
    pub(crate) seed: Option<u64>,
    /// Makes every API call about the first session fail.
    pub(crate) fail_session: bool,
}

impl Default for SendOrder {
    fn default() -> Self {
        Self {
            count: 100,
            sessions: 10,
            duplicates: 0.0,
            shuffle: false,
            stale: 0,
            bad_signatures: 0,
            dropped: 0,
            drop: 0.0,
            dialect: DialectChoice::Platform,
            mix: BTreeMap::new(),
            rate: None,
            concurrency: 16,
            seed: None,
            fail_session: false,
        }
    }
}

impl SendOrder {
    /// Extra copies as a number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a count of deliveries, far below the limits of either type"
    )]
    pub(crate) fn duplicate_count(&self) -> usize {
        let wanted =
            if self.duplicates < 1.0 { self.duplicates * self.count as f64 } else { self.duplicates };
        wanted.max(0.0).round() as usize
    }
}

/// The shape of a batch's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DialectChoice {
    /// The platform's envelope.
    #[default]
    Platform,
    /// The flat envelope, with the type names of the flat contract.
    Flat,
    /// Classic events about messages; no sessions.
    Classic,
    /// Sessions in either envelope, and one event in ten a classic one.
    Mixed,
}
