//! `worker events stats`: the ledger.

use crate::answer::Answer;
use crate::connect;
use crate::print::table::Rows;
use crate::print::{Colours, Form, json};
use serde::Serialize;
use settings::DatabaseArgs;
use store::Ledger;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker events stats --json | jq .pending

accepted = pending + applied + superseded + ignored + dead + discarded, always. When the sum is
wrong, the exit code is 1.")]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Serialize)]
struct Balance {
    #[serde(flatten)]
    ledger: Ledger,
    /// Whether the sum is right.
    balances: bool,
}

/// Counts events by status.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let ledger = store::ledger(&mut *store.connection().await?).await?;
    let balances = ledger.balances();
    let text = match form {
        Form::Json => json::object(&Balance { ledger, balances })?,
        Form::Text(colours) => {
            let verdict = if balances {
                "Every accepted event is in exactly one state."
            } else {
                "The sum is wrong: events are in no state or in an unknown one. Keep the database as it is and report this."
            };
            format!("{}{verdict}\n", ledger_rows(&ledger, colours).render())
        }
    };
    Ok(Answer::new(text).failed_if(!balances))
}

/// One row per state, and how many events were accepted.
pub(crate) fn ledger_rows(ledger: &Ledger, colours: Colours) -> Rows {
    let mut rows = Rows::without_header(colours);
    for (status, events) in ledger.by_status() {
        rows.add([status.as_str(), &events.to_string()]);
    }
    rows.add(["accepted", &ledger.accepted.to_string()]);
    rows
}
