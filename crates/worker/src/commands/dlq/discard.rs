//! `worker dlq discard`.

use super::confirm;
use super::selection::SelectionArgs;
use super::settle;
use crate::answer::{Answer, remark};
use crate::connect;
use crate::error::Error;
use crate::print::text::counted;
use crate::print::{Form, json};
use clap::builder::NonEmptyStringValueParser;
use domain::Clock;
use ops::dead::{self, Discarded, Settled};
use runtime::SystemClock;
use serde::Serialize;
use settings::{BrokerArgs, DatabaseArgs};
use store::DeadFilter;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker dlq discard whe_01ABC --reason 'test traffic'
  worker dlq discard --class gone --reason 'sessions were deleted' --yes

A discarded event stays stored, with its tries and the reason, and is never processed again.")]
pub(crate) struct Args {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Why they are closed; kept with each event
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), help_heading = "How")]
    reason: String,

    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Serialize)]
struct Report<'a> {
    /// How many were closed.
    #[serde(rename = "discarded")]
    count: u64,
    /// Why.
    reason: &'a str,
    /// What happened to the broker's copies; null when that is left to the workers.
    settled: Option<Settled>,
}

/// Closes dead letters.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let now = SystemClock.now();
    let selected = args.selection.select(now)?;
    let ask = !selected.by_id && !args.selection.yes;
    if ask && !confirm::somebody_is_there() {
        return Err(Error::CannotAsk { action: "discard" }.into());
    }
    let (store, broker) = connect::both(&args.database, &args.broker)?;
    args.selection.check_ids(&store).await?;
    // What dies from now on was not seen by whoever decided.
    let died_before = Some(selected.filter.died_before.map_or(now, |before| before.min(now)));
    let filter = DeadFilter { died_before, ..selected.filter };
    if ask {
        let count = store::count_dead(&mut *store.connection().await?, &filter).await?;
        if count > 0 {
            confirm::ask("Discard", count)?;
        }
    }
    let Discarded { count, held } = dead::discard(&store, &SystemClock, &filter, &args.reason).await?;
    if held > 0 {
        let letters = counted(held, "dead letter");
        remark(&format!("warning: {letters} left as they were, another command holds them; try again"));
    }
    let settled = settle::follow_up(&store, &broker, count).await;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Report { count, reason: &args.reason, settled })?,
        Form::Text(_) if count == 0 => "no dead letters match\n".to_owned(),
        Form::Text(_) => {
            let letters = counted(i64::try_from(count).unwrap_or(i64::MAX), "dead letter");
            format!("{letters} discarded\n")
        }
    })
    .failed_if(held > 0))
}
