//! Test bench: databases, queues, processes, a TCP proxy, signed deliveries.
//!
//! Only tests depend on this crate. Everything in it returns a `Result` that says what was missing, and everything
//! that leaves something behind (a database, queues, a process) says what it cleans up and when. A missing server
//! fails the test that needs it: a test that skips itself proves nothing.

pub mod broker;
mod cleanup;
pub mod clock;
pub mod database;
pub mod deliver;
mod environment;
mod eventually;
pub mod payload;
pub mod process;
pub mod proxy;

pub use broker::QueuePrefix;
pub use clock::ManualClock;
pub use database::Database;
pub use deliver::Deliverer;
pub use eventually::eventually;
pub use process::Process;
