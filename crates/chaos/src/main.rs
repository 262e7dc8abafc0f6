//! `chaos`: faults under load, and the verdict.
//!
//! It runs the real `ingest` and `worker`, twice each, on a private Postgres and RabbitMQ, with a TCP proxy between each
//! pair and the simulated platform behind them. A sender delivers signed events at a steady rate, as the platform does;
//! meanwhile one thing is broken, in a way that a scenario describes. Then everything is healed, and when all has
//! settled, Postgres is compared with what the sender knows: what was acknowledged must be finished, what the events
//! call for must be recorded, once.
//!
//! It owns the catalogue of faults, the sender with its journal, and the comparison. It knows the shipped programs only by
//! their addresses, settings and tables; it shares no code with them.

mod args;
mod catalogue;
mod fault;
mod load;
mod pace;
mod progress;
mod report;
mod run;
mod scenario;
mod servers;
mod settle;
mod system;
mod verdict;

use anyhow::Result;
use args::Args;
use clap::Parser;
use report::{Report, Row};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match chaos(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::from(75)
        }
    }
}

/// Runs what was asked for. Whether every promise was kept.
async fn chaos(args: &Args) -> Result<bool> {
    let scenarios = args.scenarios()?;
    if args.list {
        report::write_out(&report::list(&scenarios))?;
        return Ok(true);
    }
    let seed = args.seed.unwrap_or_else(rand::random);
    eprintln!("chaos: {} scenarios, seed {seed}", scenarios.len());
    let mut report = Report::new(seed, args.pace());
    for (number, scenario) in (1..).zip(&scenarios) {
        let progress = progress::Progress::new(number, scenarios.len(), scenario.name);
        let row = run::run(scenario, args, seed, &progress).await;
        let row = row.unwrap_or_else(|error| Row::unfinished(scenario, progress.seconds(), &error));
        progress.verdict(&row);
        report.rows.push(row);
    }
    report.write(args.json)?;
    if let Some(path) = &args.markdown {
        report.write_markdown(path)?;
    }
    Ok(report.is_clean())
}
