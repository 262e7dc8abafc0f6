//! The platform's sender: a steady rate of signed deliveries, with duplicates and out of order, to two addresses.

mod event;
mod journal;
mod sender;

pub(crate) use event::{About, Calls, SentEvent};
pub(crate) use journal::{Counts, Journal};
pub(crate) use sender::Address;

use crate::pace::{Dice, Pace};
use anyhow::Result;
use event::Source;
use sender::Sender;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// The share of events that are delivered once more.
const DUPLICATES: f64 = 0.2;

/// How long after the first delivery the second one comes at most, in milliseconds.
const SECOND_DELIVERY_MS: u64 = 3_000;

/// Events are sent up to so much later than in their order, in milliseconds.
const SHUFFLE_MS: u64 = 500;

/// Deliveries under way at once. When the receiver hangs, the rate falls rather than this rises.
const UNDER_WAY: usize = 1_000;

/// Who sends what where. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Load {
    sender: Arc<Sender>,
    pub(crate) journal: Arc<Journal>,
    skew_seconds: Arc<AtomicI64>,
}

impl Load {
    /// A sender to these addresses, which are all of the same endpoint.
    pub(crate) fn new(addresses: Vec<Address>, secret: &str) -> Result<Self> {
        let (journal, skew_seconds) = (Arc::new(Journal::default()), Arc::new(AtomicI64::new(0)));
        let sender = Sender::new(addresses, secret, Arc::clone(&journal), Arc::clone(&skew_seconds))?;
        Ok(Self { sender: Arc::new(sender), journal, skew_seconds })
    }

    /// Makes the sender's clock wrong by so many seconds.
    pub(crate) fn skew(&self, seconds: i64) {
        self.skew_seconds.store(seconds, Ordering::Relaxed);
    }

    /// Delivers one event about a session, and waits for the end of it.
    pub(crate) async fn deliver(&self, id: &str, session: &str) {
        let event = SentEvent::about_session(id, session);
        self.journal.sent(&event);
        self.sender.deliver(&event, 0).await;
    }

    /// Delivers events about these sessions until `stop`, then waits for the end of what is under way.
    pub(crate) async fn run(&self, pace: Pace, sessions: &[String], mut dice: Dice, stop: CancellationToken) {
        let mut source = Source::new(sessions);
        let mut deliveries = JoinSet::new();
        let slots = Arc::new(Semaphore::new(UNDER_WAY));
        let mut ticks = interval(Duration::from_secs(1) / pace.rate.max(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                _tick = ticks.tick() => {}
                () = stop.cancelled() => break,
            }
            while deliveries.try_join_next().is_some() {}
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let event = source.next(&mut dice);
            let first_address = dice.below(usize::MAX);
            let first = dice.between(0, SHUFFLE_MS);
            let again = dice.chance(DUPLICATES).then(|| dice.between(0, SECOND_DELIVERY_MS));
            let load = self.clone();
            deliveries.spawn(async move {
                tokio::time::sleep(first).await;
                load.journal.sent(&event);
                load.sender.deliver(&event, first_address).await;
                if let Some(rest) = again {
                    tokio::time::sleep(rest).await;
                    load.sender.deliver(&event, first_address.wrapping_add(1)).await;
                }
                drop(slot);
            });
        }
        deliveries.join_all().await;
    }
}
