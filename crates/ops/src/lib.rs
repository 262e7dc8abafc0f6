//! The verbs of the system, each composed from the adapters: receive a delivery, accept an event, relay what is due,
//! process what was queued, look after the dead letters, audit the queue.
//!
//! The HTTP handler, the consumer and the command line all call these, so that a replay means the same everywhere.
//! What must not happen, happens here or not at all: an answer before the commit, an ack before the commit, a network
//! call inside a transaction.

pub mod accept;
pub mod alerts;
pub mod audit;
pub mod budget;
pub mod dead;
pub mod effects;
pub mod executors;
mod message;
pub mod metrics;
pub mod process;
pub mod receive;
pub mod reconcile;
pub mod relay;
pub mod replies;
pub mod reviews;
pub mod story;
pub mod transcripts;
mod tries;

pub use metrics::Metrics;
