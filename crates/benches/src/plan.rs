//! What a run of the benchmark is to do, and for how long.

use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Measure everything, or what is named. Needs the servers that `DATABASE_URL` and `AMQP_URL` name, and `ingest` and
/// `worker` beside this program
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scripts/bench                            everything, on servers of its own, about an hour
  scripts/bench --short                    whether it all works, some minutes; the figures mean little
  scripts/bench --only accept-64 drain     these scenarios; a name's beginning will do
  scripts/bench --only broker-away --minutes 5
  scripts/bench --markdown docs/PERFORMANCE.md --svg docs/performance.svg")]
pub(crate) struct RunArgs {
    /// Length of each measurement, in seconds [default: 10, with --short 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,

    /// How often each scenario is measured [default: 3, with --short 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,

    /// Minutes without the broker, and of accepting end to end [default: 1, with --short some seconds]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    minutes: Option<u64>,

    /// Stored events of the full table [default: 10000000, with --short 50000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rows: Option<u64>,

    /// Events that wait for a worker [default: 100000, with --short 2000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    backlog: Option<u64>,

    /// Dead letters [default: 100000, with --short 5000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    dead_letters: Option<u64>,

    /// Smaller in everything that no other option sets
    #[arg(long)]
    short: bool,

    /// Only scenarios whose names begin so
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub(crate) only: Vec<String>,

    /// Print the names of the scenarios
    #[arg(long)]
    pub(crate) list: bool,

    /// Print JSON to standard output in the place of tables
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the tables between the markers of this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// Draw the rates of accepting into this file
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// RabbitMQ's management API, which tells its version
    #[arg(long, env = "HOLDFAST_MANAGEMENT_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) management_url: Option<String>,
}

/// How long and how much.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Plan {
    pub(crate) runs: u32,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(crate) measurement: Duration,
    #[serde(rename = "warm_up_seconds", serialize_with = "seconds")]
    pub(crate) warm_up: Duration,
    /// Of what is to stay as it is for longer: end to end, and without the broker.
    #[serde(rename = "endurance_seconds", serialize_with = "seconds")]
    pub(crate) endurance: Duration,
    pub(crate) rows: u64,
    pub(crate) backlog: u64,
    pub(crate) dead_letters: u64,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl RunArgs {
    pub(crate) fn plan(&self) -> Plan {
        let or = |set: Option<u64>, long, short| set.unwrap_or(if self.short { short } else { long });
        let endurance = self.minutes.map_or(if self.short { 6 } else { 60 }, |minutes| minutes * 60);
        Plan {
            runs: self.runs.unwrap_or(if self.short { 1 } else { 3 }),
            measurement: Duration::from_secs(or(self.seconds, 10, 2)),
            warm_up: Duration::from_millis(if self.short { 500 } else { 2_000 }),
            endurance: Duration::from_secs(endurance),
            rows: or(self.rows, 10_000_000, 50_000),
            backlog: or(self.backlog, 100_000, 2_000),
            dead_letters: or(self.dead_letters, 100_000, 5_000),
        }
    }
}
