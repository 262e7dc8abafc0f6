//! `ingest`: takes webhooks in. Verifies each delivery, makes it durable, answers, publishes.
//!
//! Owns HTTP and the wiring; what a delivery means is decided in `ops`.

mod answer;
mod args;
mod body;
mod routes;
mod serve;

use args::Args;
use clap::Parser;
use runtime::main_with;
use std::process::ExitCode;

/// Requests allocate on one thread and free on another all the time, which it does at half the cost of the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return settings::usage(&error),
    };
    let telemetry = args.telemetry();
    main_with(&telemetry, |tasks| async move { serve::serve(args.settings()?, tasks).await })
}
