//! What lives are asked for.

use serde::{Deserialize, Serialize};

/// Lives, as `POST /_sim/lives` takes them. Shares are between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LiveOrder {
    pub(crate) sessions: usize,
    /// Other resources: vaults, credentials, agents, deployments with runs, environments, memory stores.
    pub(crate) resources: usize,
    /// Turns of a session at most; each has at least one.
    pub(crate) turns: usize,
    /// Share of the turns that end with a question.
    pub(crate) asks: f64,
    /// Share of the questions that are not waited for: the session is interrupted, archived or deleted instead.
    pub(crate) abandon: f64,
    /// Share of the webhooks that are sent twice.
    pub(crate) duplicates: f64,
    /// Share of the webhooks that never arrive. Becomes the endpoint's, and stays it.
    pub(crate) drop: f64,
    /// Each webhook leaves so much later at most, in milliseconds; mixes their order.
    pub(crate) shuffle_ms: u64,
    /// Milliseconds between two steps of a life, on average.
    pub(crate) pace_ms: u64,
    /// Seconds after which a session gives up waiting for an answer; null for never.
    pub(crate) patience_seconds: Option<u64>,
    /// Repeats the plan; null draws a seed from the simulator's.
    pub(crate) seed: Option<u64>,
}

impl Default for LiveOrder {
    fn default() -> Self {
        Self {
            sessions: 20,
            resources: 10,
            turns: 4,
            asks: 0.4,
            abandon: 0.0,
            duplicates: 0.0,
            drop: 0.0,
            shuffle_ms: 0,
            pace_ms: 200,
            patience_seconds: None,
            seed: None,
        }
    }
}

impl LiveOrder {
    /// Whether all shares are shares, and the numbers no slip of the hand.
    pub(crate) fn is_sane(&self) -> bool {
        let shares = [self.asks, self.abandon, self.duplicates, self.drop];
        shares.into_iter().all(|share| (0.0..=1.0).contains(&share))
            && self.sessions <= 100_000
            && self.resources <= 100_000
            && (1..=1000).contains(&self.turns)
    }
}
