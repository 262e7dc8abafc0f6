//! The audit: every unfinished event is still to be published, in the queue, or in a worker's hands.
//!
//! The first is a row, the other two are not. RabbitMQ cannot be asked whether it has a certain message, but the queue is
//! first in, first out: a *marker* is placed at its tail, and when a worker is handed the marker, every message that was
//! published before it has been handed out too. Events whose message should have been among these, that nobody has in hand
//! any more and to which nothing has happened, are in no queue. They get an outbox row, and the relay publishes them.
//!
//! One message too many does no harm: whoever gets it sees that the try is over. One too few would be a lost event. So
//! where something is not known, an event that is lost waits for the next round, and one that is held twice is bearable.
//! Waiting in a long queue is no reason for anything: the marker waits there too.

mod auditor;
mod command;
mod figures;
mod metrics;
mod proof;
mod rounds;

pub use auditor::{Auditor, Eyes};
pub use command::{Options, Progress, Report, Verdict, audit};
pub use metrics::Metrics;
pub use proof::Proof;

use chrono::TimeDelta;
use std::time::Duration;

/// How audits are made.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// How often a marker is placed.
    pub interval: Duration,
    /// How often an auditor looks what there is to do.
    pub poll: Duration,
    /// How often a worker says what it holds.
    pub report_every: Duration,
    /// How long after its marker a round is decided at the earliest. Time for a message on its way between the queue, the
    /// dead letters and Postgres.
    pub grace: TimeDelta,
    /// How far the clocks of two workers may differ.
    pub clocks_differ: TimeDelta,
    /// A worker that has said nothing for so long is gone, and RabbitMQ has given its messages to others.
    pub silent_after: TimeDelta,
    /// Rows to be published that a round remembers at most. With more of them it is skipped: the relay is behind, or many
    /// retries rest, and the next round will tell.
    pub most_unpublished: i64,
    /// Events that are queued again in one transaction.
    pub chunk: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(1),
            poll: Duration::from_secs(1),
            report_every: Duration::from_secs(5),
            grace: TimeDelta::seconds(10),
            clocks_differ: TimeDelta::seconds(2),
            silent_after: TimeDelta::minutes(1),
            most_unpublished: 20_000,
            chunk: 1_000,
        }
    }
}

impl From<crate::dead::SettleError> for AuditError {
    fn from(error: crate::dead::SettleError) -> Self {
        match error {
            crate::dead::SettleError::Broker(error) => Self::Broker(error),
            crate::dead::SettleError::Store(error) => Self::Store(error),
        }
    }
}

/// An audit could not go on; nothing is lost, and the next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// RabbitMQ is away.
    #[error("no marker can be placed")]
    Broker(#[from] broker::Error),
    /// Postgres is away or refuses.
    #[error("the audit cannot be recorded")]
    Store(#[from] store::Error),
}
