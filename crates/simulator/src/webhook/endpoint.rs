//! Where webhooks go and how they are spoiled on the way.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use signing::Secret;

use crate::webhook::{SignatureMode, backoff::MAX_ATTEMPTS};

/// One receiver. Its `Debug` is safe: `Secret` redacts itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoint {
    pub(crate) url: Option<String>,
    pub(crate) secret: Option<Secret>,
    /// The types it subscribes to; empty for all.
    pub(crate) types: Vec<String>,
    /// Why nothing is sent any more.
    pub(crate) disabled_reason: Option<String>,
    /// When the last row of failures without a success between them began.
    pub(crate) failing_since: Option<Instant>,
    /// How long such a row may last before the endpoint is disabled; none for ever.
    pub(crate) disable_after: Option<Duration>,
    /// For deliveries that bring no options of their own.
    pub(crate) options: DeliveryOptions,
}

impl Endpoint {
    /// Notes how an attempt ended; true when it was one failure too many. One success makes up for all failures.
    pub(crate) fn note(&mut self, acknowledged: bool, now: Instant) -> bool {
        if acknowledged {
            self.failing_since = None;
            return false;
        }
        let since = *self.failing_since.get_or_insert(now);
        self.disable_after.is_some_and(|limit| now.saturating_duration_since(since) >= limit)
    }
}

/// What is done to one delivery, or by default to all of an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeliveryOptions {
    /// How many more copies follow the first, with the same id and fresh signatures.
    pub(crate) duplicates: u32,
    /// Waits this long before the first attempt.
    pub(crate) delay_ms: u64,
    /// Signs correctly, but with a timestamp this many seconds in the past; negative for the future.
    pub(crate) stale_seconds: i64,
    pub(crate) signature: SignatureMode,
    /// Never sent at all, as after three attempts that never arrived.
    pub(crate) dropped: bool,
    /// Share of deliveries that are never sent, 0 to 1. That of the endpoint holds for all that goes to it.
    pub(crate) drop: f64,
    /// At most this many attempts per copy, three being the platform's number and the maximum.
    pub(crate) attempts: u32,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            duplicates: 0,
            delay_ms: 0,
            stale_seconds: 0,
            signature: SignatureMode::Valid,
            dropped: false,
            drop: 0.0,
            attempts: MAX_ATTEMPTS,
        }
    }
}
