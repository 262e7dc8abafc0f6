//! `bench`: what Holdfast costs and how fast it is, beside a bare endpoint and the obvious implementation.

mod figures;
mod load;
mod plan;
mod probe;
mod progress;
mod report;
mod run;
mod scenario;
mod serve;
mod server;
mod stack;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use load::{Deliveries, Outcome};
use plan::RunArgs;
use serve::Serve;
use signing::Secret;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, Parser)]
#[command(name = "bench", version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(RunArgs),
    /// Load one address, print what came back
    Load {
        #[arg(long)]
        address: SocketAddr,
        #[arg(long)]
        secret: String,
        /// Closed loop over so many connections
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// Open loop at this many requests per second instead
        #[arg(long)]
        rate: Option<u32>,
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        #[arg(long, default_value_t = 1_000)]
        sessions: u64,
        #[arg(long, default_value_t = 0)]
        repeat_every: u64,
    },
    /// Run one of the servers that the measurements need
    #[command(subcommand)]
    Serve(Serve),
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Serve(what) => serve::serve(what),
        Command::Load { address, secret, connections, rate, seconds, sessions, repeat_every } => {
            let secret = Secret::parse(&secret).context("--secret")?;
            let run = format!("{:08x}", std::process::id());
            let deliveries = Deliveries::new(secret, &run, sessions).repeating_every(repeat_every);
            let (warm_up, duration) = (Duration::from_secs(2), Duration::from_secs(seconds));
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let outcome = runtime.block_on(async {
                match rate {
                    None => load::closed_loop(address, &deliveries, connections, warm_up, duration).await,
                    Some(rate) => load::open_loop(address, &deliveries, rate, warm_up, duration).await,
                }
            })?;
            print(&outcome);
            Ok(())
        }
    }
}

#[expect(clippy::print_stdout, reason = "the result of a command")]
fn print(outcome: &Outcome) {
    println!(
        "{:.0}/s, {} others, p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        outcome.rate(),
        outcome.refused,
        outcome.milliseconds(0.5),
        outcome.milliseconds(0.99),
        outcome.milliseconds(1.0)
    );
}
