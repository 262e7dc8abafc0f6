//! One delivery: three attempts, each at one address and, where nobody answers, at the other.

use super::{Journal, SentEvent};
use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use testkit::Deliverer;
use testkit::clock::unix_seconds;

/// Rests before the attempts. The platform's are some seconds to two minutes.
const RESTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(700), Duration::from_secs(3)];

/// Where a process takes deliveries, and whether it is known to be ready for them.
pub(crate) struct Address {
    pub(crate) url: String,
    pub(crate) ready: Arc<AtomicBool>,
}

/// Delivers to the first address that is ready and answers, as a load balancer in front of both would.
pub(super) struct Sender {
    addresses: Vec<(Deliverer, Arc<AtomicBool>)>,
    journal: Arc<Journal>,
    skew_seconds: Arc<AtomicI64>,
}

impl Sender {
    pub(super) fn new(
        addresses: Vec<Address>,
        secret: &str,
        journal: Arc<Journal>,
        skew_seconds: Arc<AtomicI64>,
    ) -> Result<Self> {
        let addresses: Result<Vec<_>> =
            addresses.into_iter().map(|to| Ok((Deliverer::new(to.url, secret)?, to.ready))).collect();
        Ok(Self { addresses: addresses?, journal, skew_seconds })
    }

    /// Delivers an event, beginning with the address of this number.
    pub(super) async fn deliver(&self, event: &SentEvent, first_address: usize) {
        for (rest, attempt) in RESTS.into_iter().zip(0..) {
            tokio::time::sleep(rest).await;
            if self.attempt(event, first_address.wrapping_add(attempt)).await {
                return;
            }
        }
        self.journal.gave_up();
    }

    /// Whether it was acknowledged.
    async fn attempt(&self, event: &SentEvent, first_address: usize) -> bool {
        let count = self.addresses.len().max(1);
        let order = self.addresses.iter().cycle().skip(first_address % count).take(count);
        let nobody_is_ready = !self.addresses.iter().any(|(_, ready)| ready.load(Ordering::Relaxed));
        for (address, _) in order.filter(|(_, ready)| nobody_is_ready || ready.load(Ordering::Relaxed)) {
            let timestamp = unix_seconds() + self.skew_seconds.load(Ordering::Relaxed);
            match address.deliver_signed_at(&event.id, event.body.clone(), timestamp).await {
                Ok(answer) => {
                    self.journal.answered(&event.id, answer.status);
                    return (200..300).contains(&answer.status);
                }
                Err(_no_answer) => self.journal.unanswered(),
            }
        }
        false
    }
}
