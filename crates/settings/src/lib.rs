//! The only reader of flags, environment and secret files.
//!
//! One `Args` group per concern, each flag with its environment variable; a group's `validate` turns it into values
//! that cannot be wrong any more, or notes in [`Problems`] what is wrong, so that all mistakes are reported at
//! once. Secrets are never parsed by clap itself, whose error messages repeat the value.

mod alerts;
mod broker;
mod claude;
mod database;
mod hidden;
mod listen;
mod policy;
mod problems;
mod retry;
mod signatures;
mod telemetry;
mod usage;

pub use alerts::{SinkArgs, Sinks, Watch, WatchArgs};
pub use broker::{Broker, BrokerArgs};
pub use claude::{AuthStyle, Claude, ClaudeArgs};
pub use database::{Database, DatabaseArgs};
pub use hidden::Hidden;
pub use listen::{IngestListenArgs, WorkerListenArgs, address};
pub use policy::{Executor, PolicyArgs, ReviewPolicy, read_policy};
pub use problems::Problems;
pub use retry::{RetryArgs, delays};
pub use signatures::{SchemeChoice, SignatureArgs, Signatures};
pub use telemetry::{LogFormat, TelemetryArgs};
pub use usage::usage;

#[cfg(test)]
mod tests;
