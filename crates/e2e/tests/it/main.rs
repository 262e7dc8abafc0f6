//! The real `ingest` and `worker` on real servers, and the architecture of the house.
//!
//! The binaries are taken from the target folder: build them before, with `cargo build -p ingest -p worker`.

#![expect(clippy::indexing_slicing, reason = "an index of a JSON value gives null where there is nothing")]

mod api_keys;
mod api_outages;
mod collector;
mod convergence;
mod dead_letters;
mod everything;
mod foreign_messages;
mod house;
mod ingest_crashes;
mod life;
mod lost_messages;
mod message;
mod migrations;
mod node;
mod odd_answers;
mod operator;
mod outages;
mod replies;
mod secrets;
mod sharing;
mod stack;
mod stage;
mod system;
mod traces;
mod worker_crashes;
