//! `worker reviews approve` and `deny`.

use super::one::decide;
use super::person::PersonArgs;
use crate::answer::Answer;
use crate::connect;
use crate::print::Form;
use clap::builder::NonEmptyStringValueParser;
use settings::DatabaseArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker reviews approve sevt_01ABC

Custom tools do not run elsewhere: they need their result, with `worker reviews answer`.")]
pub(crate) struct ApproveArgs {
    /// The id of the tool use, or a unique beginning of it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker reviews deny sevt_01ABC --message 'Not on production.'

To refuse a custom tool, answer it with --error.")]
pub(crate) struct DenyArgs {
    /// The id of the tool use, or a unique beginning of it
    #[arg(value_name = "ID")]
    id: String,

    /// What the agent is told about it
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    message: Option<String>,

    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Allows a tool.
pub(crate) async fn approve(args: &ApproveArgs, form: Form) -> anyhow::Result<Answer> {
    let who = args.person.name()?;
    let store = connect::store(&args.database)?;
    decide(&store, &args.id, &domain::Answer::Allow, who, form).await
}

/// Denies a tool.
pub(crate) async fn deny(args: &DenyArgs, form: Form) -> anyhow::Result<Answer> {
    let who = args.person.name()?;
    let store = connect::store(&args.database)?;
    let answer = domain::Answer::Deny { message: args.message.clone() };
    decide(&store, &args.id, &answer, who, form).await
}
