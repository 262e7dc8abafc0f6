//! The command line: its tree, and what is the same for all of its commands.

use crate::answer::Answer;
use crate::commands::{dlq, doctor, events, migrate, resources};
use crate::error::exit_of;
use crate::print::{Colours, Form};
use crate::run;
use crate::run_args::RunArgs;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use runtime::{Exit, Failure, Tasks};

#[derive(Debug, Parser)]
#[command(
    name = "worker",
    version,
    about = "Process the events that ingest accepted, and look after them",
    after_help = EXAMPLES,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print JSON to standard output, and nothing else
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,

    /// Print no colours, even to a terminal
    #[arg(long, global = true, env = "NO_COLOR", hide_env_values = true, value_parser = is_set, help_heading = "Output")]
    no_color: bool,

    /// What to log to standard error [default: warn; run: info]
    #[arg(skip)]
    _log: (),
}

const EXAMPLES: &str = "\
Examples:
  worker migrate                         create the tables, or bring them up to date
  worker run                             process events until a signal comes
  worker dlq list --class transient      what failed three times
  worker dlq replay --type 'session.*'   give it three more tries
  worker doctor                          is everything reachable and right?

Exit codes: 0 done; 1 not found, failed, or something is wrong; 64 wrong usage or settings;
75 Postgres or RabbitMQ is away, try again later.";
