//! What every process of ours needs: a main function that maps errors to exit codes ([`main_with`]), tasks that are
//! tracked, supervised and drained ([`Tasks`], [`Shutdown`]), an internal listener for health and metrics
//! ([`HealthServer`]) and the one real clock ([`SystemClock`]).
//!
//! Invariants: no task of ours runs untracked; a panic never goes unnoticed, and in a critical task it ends the process
//! with a failure; a shutdown ends within its deadline, whatever hangs.
//!
//! `runtime` knows nothing of events.

mod backoff;
mod clock;
mod entry;
mod error;
mod exit;
mod health;
mod shutdown;
mod tasks;

pub use backoff::Backoff;
pub use clock::SystemClock;
pub use entry::main_with;
pub use error::Error;
pub use exit::{Exit, Failure, OrExit};
pub use health::{Health, HealthServer, listen};
pub use shutdown::Shutdown;
pub use tasks::Tasks;
