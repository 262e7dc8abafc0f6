//! The simulator from outside: over HTTP, in process or as a process.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

mod batches;
mod deliveries;
mod events;
mod executor;
mod faults;
mod headers;
mod lab;
mod limits;
mod lists;
mod lives;
mod process;
mod receiver;
mod resources;
mod scenarios;
mod sessions;
mod threads;
mod truth;
