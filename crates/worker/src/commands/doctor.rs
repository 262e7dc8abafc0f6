//! `worker doctor`: is everything reachable and right, and if not, what to do.

mod check;
mod claude_api;
mod postgres;
mod rabbitmq;
mod signature;
mod signing_secrets;

use crate::answer::Answer;
use crate::print::table::Rows;
use crate::print::{Form, json};
use check::Verdict;
use clap::Subcommand;
use settings::{BrokerArgs, ClaudeArgs, DatabaseArgs, SignatureArgs};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker doctor
  worker doctor --json | jq '.[] | select(.status != \"ok\")'
  worker doctor signature --help

The exit code is 1 when a check failed; warnings are for a person to judge.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    claude: ClaudeArgs,
    #[command(flatten)]
    signatures: SignatureArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain why the signature of a delivery fails
    Signature(Box<signature::Args>),
}

/// Makes all checks, or explains a signature.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    if let Some(Command::Signature(args)) = &args.command {
        return signature::run(args, form);
    }
    let (postgres, rabbitmq, claude_api) = tokio::join!(
        postgres::checks(&args.database),
        rabbitmq::checks(&args.broker),
        claude_api::checks(&args.claude)
    );
    let mut checks = postgres;
    checks.extend(rabbitmq);
    checks.extend(claude_api);
    checks.push(signing_secrets::check(&args.signatures));
    let failed = checks.iter().any(|check| check.status == Verdict::Failed);
    let text = match form {
        Form::Json => json::list(&checks)?,
        Form::Text(colours) => {
            let mut rows = Rows::with_header(&["check", "status", "what was found, and what to do"], colours);
            for check in &checks {
                rows.add([check.name, check.status.as_str(), &check.sentence()]);
            }
            rows.render()
        }
    };
    Ok(Answer::new(text).failed_if(failed))
}
