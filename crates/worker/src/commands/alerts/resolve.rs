//! `worker alerts resolve`.

use crate::answer::Answer;
use crate::connect;
use crate::error::Error;
use crate::print::time::instant;
use crate::print::{Form, json};
use clap::builder::NonEmptyStringValueParser;
use domain::Clock;
use runtime::SystemClock;
use serde::Serialize;
use settings::DatabaseArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker alerts resolve 17 --reason 'budget was raised'

Sinks are told. If the same thing happens again, it is a new alert.")]
pub(crate) struct Args {
    /// The alert's number, as `worker alerts list` shows it
    #[arg(value_name = "ID")]
    id: i64,

    /// Why it is over; kept with the alert
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,

    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Serialize)]
struct Report<'a> {
    id: i64,
    resolution: &'a str,
}

/// Closes an alert.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let mut connection = store.connection().await?;
    let now = SystemClock.now();
    if !store::resolve_alert_by_number(&mut connection, args.id, &args.reason, None, now).await? {
        let alert =
            store::find_alert(&mut connection, args.id).await?.ok_or(Error::NoAlert { id: args.id })?;
        let at = alert.resolved_at.map(instant).unwrap_or_default();
        return Err(Error::AlertOver { id: args.id, at }.into());
    }
    Ok(Answer::new(match form {
        Form::Json => json::object(&Report { id: args.id, resolution: &args.reason })?,
        Form::Text(_) => format!("alert {} resolved\n", args.id),
    }))
}
