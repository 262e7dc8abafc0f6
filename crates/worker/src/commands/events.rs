//! `worker events`.

mod list;
mod show;
mod stats;
mod types;

pub(crate) use show::{effect_table, harmless_lines, one_of, story_text};
pub(crate) use stats::ledger_rows;

use crate::answer::Answer;
use crate::print::Form;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  worker events list --status pending
  worker events show whe_01ABC")]
pub(crate) enum Command {
    /// List events, the newest first
    List(list::Args),
    /// Show all that is known of one event: its tries, its effects, its payload
    Show(show::Args),
    /// Count events by status, and check that the sum is right
    Stats(stats::Args),
    /// List the types of event that are known: what is fetched for each, and what follows
    Types(types::Args),
}

impl Command {
    pub(crate) async fn run(self, form: Form) -> anyhow::Result<Answer> {
        match self {
            Self::List(args) => list::run(&args, form).await,
            Self::Show(args) => show::run(&args, form).await,
            Self::Stats(args) => stats::run(&args, form).await,
            Self::Types(args) => types::run(&args, form),
        }
    }
}
