//! `worker dlq check`.

use crate::answer::Answer;
use crate::connect;
use crate::print::text::counted;
use crate::print::{Form, json};
use ops::dead;
use settings::{BrokerArgs, DatabaseArgs};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker dlq check || worker dlq settle

Right after a death, a replay or a discard the two sides may differ for some seconds.")]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Compares both sides.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let (store, broker) = connect::both(&args.database, &args.broker)?;
    let agreement = dead::check(&store, &broker).await?;
    let text = match form {
        Form::Json => json::object(&agreement)?,
        Form::Text(_) => {
            let verdict = if agreement.agree {
                "They agree."
            } else {
                "They disagree: run `worker dlq settle`, or wait a moment for a worker to do it."
            };
            format!(
                "Postgres has {}, {} of them still to be published; RabbitMQ has {}. {verdict}\n",
                counted(agreement.postgres, "dead letter"),
                agreement.unpublished,
                counted(agreement.broker, "message"),
            )
        }
    };
    Ok(Answer::new(text).failed_if(!agreement.agree))
}
