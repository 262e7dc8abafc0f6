//! `worker dlq check`.

use crate::answer::Answer;
use crate::connect;
use crate::print::text::counted;
use crate::print::{Form, json};
use ops::dead::{self, Inspection};
use runtime::SystemClock;
use settings::{BrokerArgs, DatabaseArgs};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker dlq check || worker dlq settle

Right after a death, a replay or a discard the two sides may differ for some seconds.

The figures agree when one message is lost and another one is over. --each compares every message
with its event; for 100,000 of them that takes some seconds.")]
pub(crate) struct Args {
    /// Compare message by message; each moves to the end of the queue once
    #[arg(long)]
    each: bool,

    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Compares both sides.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let (store, broker) = connect::both(&args.database, &args.broker)?;
    if args.each {
        let found = dead::inspect(&store, &broker, &SystemClock).await?;
        let text = match form {
            Form::Json => json::object(&found)?,
            Form::Text(_) => each_text(&found),
        };
        return Ok(Answer::new(text).failed_if(!found.agree));
    }
    let agreement = dead::check(&store, &broker).await?;
    let text = match form {
        Form::Json => json::object(&agreement)?,
        Form::Text(_) => {
            let verdict = verdict(agreement.agree);
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

const fn verdict(agree: bool) -> &'static str {
    if agree {
        "They agree."
    } else {
        "They disagree: run `worker dlq settle`, or wait a moment for a worker to do it."
    }
}

fn each_text(found: &Inspection) -> String {
    let seen = counted(found.seen.into(), "message");
    if !found.complete {
        return format!("{seen} looked at, and the queue has more that somebody else holds. Try again.\n");
    }
    format!(
        "{seen} looked at: {} right, {} over, {} none of ours. {} without a message. {}\n",
        found.right,
        found.surplus,
        found.foreign,
        counted(found.missing.into(), "dead event"),
        verdict(found.agree),
    )
}
