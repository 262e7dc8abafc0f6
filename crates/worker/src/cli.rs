//! The command line: its tree, and what is the same for all of its commands.

use crate::answer::Answer;
use crate::commands::{
    alerts, audit, dlq, doctor, events, migrate, reconcile, resources, reviews, transcripts,
};
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
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print JSON to standard output, and nothing else
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,

    /// Print no colours, even to a terminal
    #[arg(
        long,
        global = true,
        env = "NO_COLOR",
        hide_env_values = true,
        value_parser = is_set,
        help_heading = "Output"
    )]
    no_color: bool,

    // `run` has an option of the same name with a default of its own, which takes precedence there.
    /// What is logged to standard error, for example info or info,broker=debug
    #[arg(
        long,
        global = true,
        env = "RUST_LOG",
        value_name = "FILTER",
        default_value = "warn",
        help_heading = "Output"
    )]
    log: String,
}

const EXAMPLES: &str = "\
Examples:
  worker migrate                         create the tables, or bring them up to date
  worker run                             process events until a signal comes
  worker reviews list                    which sessions wait for a person?
  worker dlq list --class transient      what failed for good, and why
  worker dlq replay --type 'session.*'   give it new tries
  worker alerts list                     what somebody should look at
  worker audit                           is every event somewhere?
  worker reconcile                       what did the platform fail to deliver?
  worker doctor                          is everything reachable and right?

Exit codes: 0 done; 1 not found, failed, or something is wrong; 64 wrong usage or settings;
75 Postgres or RabbitMQ is away, try again later.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Process events until a signal comes
    Run(Box<RunArgs>),
    /// Create the tables, or bring them up to date
    Migrate(migrate::Args),
    /// Look at accepted events
    #[command(subcommand)]
    Events(events::Command),
    /// Look at what events happened to: sessions, their threads, messages
    #[command(subcommand)]
    Resources(resources::Command),
    /// Answer tool uses of sessions that wait for a person
    #[command(subcommand)]
    Reviews(Box<reviews::Command>),
    /// Look at the dead-letter queue, replay it, close what is in it
    #[command(subcommand)]
    Dlq(dlq::Command),
    /// Read what was said in sessions that are over
    #[command(subcommand)]
    Transcripts(transcripts::Command),
    /// Look at what a person should know, and close it
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// Prove that every accepted event is accounted for, queue again what RabbitMQ has lost
    Audit(Box<audit::Args>),
    /// Compare what is stored with what the API lists, queue what was never delivered
    Reconcile(Box<reconcile::Args>),
    /// Check that everything is reachable and right
    Doctor(Box<doctor::Args>),
}

impl Cli {
    /// The tree that the arguments are matched against.
    pub(crate) fn tree() -> clap::Command {
        // The settings of `doctor` are of no use to its subcommands, which name those they need.
        <Self as CommandFactory>::command()
            .mut_subcommand("doctor", |doctor| doctor.mut_args(|arg| arg.global(false)))
    }

    /// Reads the arguments of this process.
    ///
    /// # Errors
    /// When they cannot be read, or ask for help.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::from_arg_matches(&Self::tree().try_get_matches()?)
    }

    /// How this command logs: the worker for machines, all others for the person at the terminal.
    pub(crate) fn telemetry(&self) -> telemetry::Config {
        let instance_id = format!("worker-{}", std::process::id());
        let Command::Run(args) = &self.command else {
            return telemetry::Config {
                service_name: "worker",
                instance_id,
                // What the AMQP library logs, the command says itself, once.
                log_filter: format!("lapin=off,{}", self.log),
                log_format: telemetry::LogFormat::Text,
                otlp_endpoint: None,
            };
        };
        telemetry::Config {
            service_name: "worker",
            instance_id,
            log_filter: args.telemetry.filter(),
            log_format: match args.telemetry.log_format {
                settings::LogFormat::Json => telemetry::LogFormat::Json,
                settings::LogFormat::Text => telemetry::LogFormat::Text,
            },
            otlp_endpoint: args.telemetry.otlp_endpoint.clone(),
        }
    }

    /// Does what was asked, and prints the answer.
    pub(crate) async fn run(self, tasks: Tasks) -> Result<Exit, Failure> {
        let form = self.form();
        let answer = match self.command {
            Command::Run(args) => return run::run(args.validate()?, tasks).await,
            Command::Migrate(args) => migrate::run(&args, form).await,
            Command::Events(command) => command.run(form).await,
            Command::Resources(command) => command.run(form).await,
            Command::Reviews(command) => command.run(form).await,
            Command::Dlq(command) => command.run(form).await,
            Command::Transcripts(command) => command.run(form).await,
            Command::Alerts(command) => command.run(form).await,
            Command::Audit(args) => audit::run(&args, form).await,
            Command::Reconcile(args) => reconcile::run(&args, form).await,
            Command::Doctor(args) => doctor::run(&args, form).await,
        };
        let printed = answer.and_then(|answer: Answer| Ok(answer.print()?));
        printed.map_err(|error| Failure { exit: exit_of(&error), error })
    }

    const fn form(&self) -> Form {
        match (self.json, self.no_color) {
            (true, _) => Form::Json,
            (false, true) => Form::Text(Colours::Never),
            (false, false) => Form::Text(Colours::OnTerminals),
        }
    }
}

/// `NO_COLOR` counts as soon as it is there and not empty, whatever it says. The exception is clap's own default.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a parser that may fail")]
fn is_set(text: &str) -> Result<bool, std::convert::Infallible> {
    Ok(!text.is_empty() && text != "false")
}

#[cfg(test)]
mod tests;
