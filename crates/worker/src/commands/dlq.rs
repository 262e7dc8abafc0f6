//! `worker dlq`: the dead-letter queue.

mod check;
mod confirm;
mod discard;
mod interrupt;
pub(crate) mod list;
mod progress;
mod replay;
mod selection;
mod settle;
mod show;
mod stats;

use crate::answer::Answer;
use crate::print::Form;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  worker dlq stats
  worker dlq replay --class transient --dry-run

A dead letter is an event that failed three times: a message in the broker's queue, and a row in
Postgres that can be searched.")]
pub(crate) enum Command {
    /// List dead letters, the youngest first
    List(list::Args),
    /// Show one dead letter: its tries, its payload
    Show(show::Args),
    /// Count dead letters by type and by class of failure
    Stats(stats::Args),
    /// Give dead letters new tries
    Replay(replay::Args),
    /// Close dead letters, with a reason
    Discard(discard::Args),
    /// Compare Postgres with the broker's queue; exit code 1 when they disagree
    Check(check::Args),
    /// Make the broker's queue agree with Postgres now; workers do it by themselves
    Settle(settle::Args),
}

impl Command {
    pub(crate) async fn run(self, form: Form) -> anyhow::Result<Answer> {
        match self {
            Self::List(args) => list::run(&args, form).await,
            Self::Show(args) => show::run(&args, form).await,
            Self::Stats(args) => stats::run(&args, form).await,
            Self::Replay(args) => replay::run(&args, form).await,
            Self::Discard(args) => discard::run(&args, form).await,
            Self::Check(args) => check::run(&args, form).await,
            Self::Settle(args) => settle::run(&args, form).await,
        }
    }
}
