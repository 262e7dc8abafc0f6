//! `worker resources`.

mod list;
mod message;
mod show;

use crate::answer::Answer;
use crate::print::Form;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::ResourceKind;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  worker resources list --type session
  worker resources show session sesn_01ABC")]
pub(crate) enum Command {
    /// List resources, those with the newest events first
    List(list::Args),
    /// Show one resource: its state, its history in the order in which it happened, its effects
    Show(show::Args),
}

impl Command {
    pub(crate) async fn run(self, form: Form) -> anyhow::Result<Answer> {
        match self {
            Self::List(args) => list::run(&args, form).await,
            Self::Show(args) => show::run(&args, form).await,
        }
    }
}

/// The kinds of resource, by name.
fn kind() -> impl TypedValueParser<Value = ResourceKind> {
    PossibleValuesParser::new(ResourceKind::ALL.map(ResourceKind::as_str)).try_map(|text| text.parse())
}
