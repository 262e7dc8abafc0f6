//! `worker`: processes events, and is the operator's command line.
//!
//! Each subcommand parses, calls `ops` or `store`, and answers; what a command means is decided there. A command
//! never prints by itself: it returns an [`answer::Answer`], which is written to standard output in one go, and
//! everything else goes to standard error.

mod answer;
mod api;
mod cli;
mod commands;
mod connect;
mod error;
mod limit;
mod moment;
mod print;
mod run;
mod run_args;
mod watchdog;

use cli::Cli;
use runtime::main_with;
use std::process::ExitCode;

/// Requests allocate on one thread and free on another all the time, which it does at half the cost of the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return settings::usage(&error),
    };
    main_with(&cli.telemetry(), |tasks| cli.run(tasks))
}
