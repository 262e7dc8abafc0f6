//! The command line.

use crate::catalogue;
use crate::pace::Pace;
use crate::scenario::Scenario;
use anyhow::{Result, bail};
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Break everything under load, one scenario at a time, and prove that nothing was lost or done twice
///
/// Needs its own servers, which it kills: scripts/chaos starts them.
#[derive(Debug, Parser)]
#[command(name = "chaos", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Only these scenarios; may be given several times, and a trailing * matches any ending
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,

    /// Print the scenarios and run none
    #[arg(long)]
    pub(crate) list: bool,

    /// A representative few of the scenarios, with short faults: some minutes in total
    #[arg(long)]
    short: bool,

    /// How long a fault lasts [default: 60, or 6 with --short]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: Option<u64>,

    /// How often something is killed [default: 10, or 3 with --short]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,

    /// New events per second [default: 120, or 60 with --short]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2000))]
    rate: Option<u32>,

    /// Makes events and moments repeat; random without it
    #[arg(long)]
    pub(crate) seed: Option<u64>,

    /// Print JSON instead of the table
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the table into this file, between its chaos markers
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// The checkout whose scripts/servers leads to the servers
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) root: PathBuf,

    /// Where the programs' logs of a scenario with complaints are kept
    #[arg(long, value_name = "FOLDER", default_value = ".local/log/chaos")]
    pub(crate) logs: PathBuf,
}

impl Args {
    /// How long and how often things are broken.
    pub(crate) fn pace(&self) -> Pace {
        let (seconds, rounds, rate) = if self.short { (6, 3, 60) } else { (60, 10, 120) };
        Pace {
            length: Duration::from_secs(self.seconds.unwrap_or(seconds)),
            rounds: self.rounds.unwrap_or(rounds),
            rate: self.rate.unwrap_or(rate),
        }
    }

    /// The scenarios that were asked for, in the order of the catalogue.
    pub(crate) fn scenarios(&self) -> Result<Vec<Scenario>> {
        let all: Vec<Scenario> = catalogue::all();
        for wanted in &self.scenario {
            if !all.iter().any(|scenario| matches(wanted, scenario.name)) {
                bail!("there is no scenario {wanted}; --list shows them");
            }
        }
        let chosen = |scenario: &Scenario| match self.scenario.as_slice() {
            [] => scenario.short || !self.short,
            names => names.iter().any(|wanted| matches(wanted, scenario.name)),
        };
        Ok(all.into_iter().filter(chosen).collect())
    }
}

fn matches(wanted: &str, name: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == name, |start| name.starts_with(start))
}
