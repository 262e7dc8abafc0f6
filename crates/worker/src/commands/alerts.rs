//! `worker alerts`.

mod list;
mod resolve;
mod show;
mod test;

use crate::answer::Answer;
use crate::print::Form;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  worker alerts list
  worker alerts show 17
  worker alerts resolve 17 --reason 'budget was raised'
  worker alerts test")]
pub(crate) enum Command {
    /// List alerts, the most urgent first
    List(list::Args),
    /// Show one alert: what was found out, and who was told
    Show(show::Args),
    /// Close an alert by hand
    Resolve(resolve::Args),
    /// Tell every sink of a test alert, and say what each answered
    Test(Box<test::Args>),
}

impl Command {
    pub(crate) async fn run(self, form: Form) -> anyhow::Result<Answer> {
        match self {
            Self::List(args) => list::run(&args, form).await,
            Self::Show(args) => show::run(&args, form).await,
            Self::Resolve(args) => resolve::run(&args, form).await,
            Self::Test(args) => test::run(&args, form).await,
        }
    }
}
