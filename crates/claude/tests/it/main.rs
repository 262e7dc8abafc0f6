//! The client against a local server that answers by script, and against the simulator.

mod auth;
mod bodies;
mod failures;
mod fake;
mod ids;
mod lists;
mod objects;
mod observing;
mod pacing;
mod resources;
mod retries;
mod sdk_parity;
mod sending;
