//! The command line: `serve` runs a simulator, the other commands drive one that runs.

mod args;
mod client;
mod executor;
mod fault;
mod live;
mod send;
mod serve;
mod state;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use tracing_subscriber::EnvFilter;

use self::args::{Args, Command};

/// Parses the arguments and runs the command. 0: done; 1: something unexpected came back, or an error.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            start_logging("error");
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("could not start the async runtime")?;
    runtime.block_on(async {
        match args.command {
            Command::Serve(serve) => {
                start_logging(&serve.log);
                serve::serve(serve).await
            }
            Command::Executor(args) => {
                start_logging(&args.log);
                executor::executor(&args).await
            }
            Command::Send(send) => send::send(&send).await,
            Command::Live(args) => live::live(&args).await,
            Command::Fault(fault) => fault::fault(&fault).await,
            Command::State(state) => state::state(&state).await,
        }
    })
}

/// Text on standard error, so that standard output stays machine-readable.
fn start_logging(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Without the last call, a closed standard error would turn the next log line into a panic.
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .log_internal_errors(false);
    // A second call, after an error of `serve`, finds the logging started.
    drop(subscriber.try_init());
}
