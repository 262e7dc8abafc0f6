//! `simulator send`.

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use anyhow::Context;
use comfy_table::Table;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde_json::Value;

use crate::{
    batch::SendOrder,
    cli::{
        args::Send,
        client::{Control, print_json, print_line},
    },
};

const POLL: Duration = Duration::from_millis(200);

/// Starts a batch, follows it to its end and prints what came back. 1 when that was not what was expected.
pub(crate) async fn send(args: &Send) -> anyhow::Result<ExitCode> {
    let control = Control::new(&args.target.simulator)?;
    let order = serde_json::to_value(order(args)).context("could not write the order")?;
    let mut progress = control.call(Method::POST, "send", Some(&order)).await?;
    let path = format!("send/{}", number(&progress, "id"));
    let bar = bar(number(&progress, "planned"));
    while progress.get("done") != Some(&Value::Bool(true)) {
        tokio::time::sleep(POLL).await;
        progress = control.call(Method::GET, &path, None).await?;
        bar.set_position(number(&progress, "sent"));
    }
    bar.finish_and_clear();
    if args.json {
        print_json(&progress)?;
    } else {
        print_summary(&progress)?;
    }
    let complete = number(&progress, "sent") == number(&progress, "planned");
    Ok(if complete && number(&progress, "unexpected") == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn order(args: &Send) -> SendOrder {
    SendOrder {
        count: args.count,
        sessions: args.sessions,
        duplicates: args.duplicates,
        shuffle: args.shuffle,
        stale: args.stale,
        bad_signatures: args.bad_signatures,
        dropped: args.dropped,
        drop: args.drop,
        dialect: args.dialect,
        rate: args.rate,
        concurrency: args.concurrency,
        seed: args.seed,
        fail_session: args.fail_session,
        ..SendOrder::default()
    }
}

/// A progress bar where somebody can see it.
fn bar(planned: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} sent, {per_sec}, {eta} left");
    ProgressBar::new(planned).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn print_summary(progress: &Value) -> anyhow::Result<()> {
    let rows = [
        ("sent", "sent"),
        ("acknowledged", "acknowledged"),
        ("  of these skipped as duplicate", "skipped"),
        ("rejected as they should be", "rejected"),
        ("never sent on purpose", "dropped"),
        ("unexpected", "unexpected"),
        ("sessions", "sessions"),
        ("milliseconds", "elapsed_ms"),
    ];
    let mut table = Table::new();
    table.load_style(comfy_table::TableStyle::default());
    for (label, member) in rows {
        table.add_row([label.to_owned(), number(progress, member).to_string()]);
    }
    if let Some(session) = progress.get("fault_session").and_then(Value::as_str) {
        table.add_row(["session whose fetch always fails", session]);
    }
    print_line(&table.to_string())?;
    for surprise in progress.get("surprises").and_then(Value::as_array).into_iter().flatten() {
        print_line(&told(surprise))?;
    }
    Ok(())
}

/// One unexpected delivery on one line.
fn told(surprise: &Value) -> String {
    let text = |member: &str| surprise.get(member).and_then(Value::as_str).unwrap_or("?");
    let attempts = surprise.get("attempts").and_then(Value::as_array).into_iter().flatten();
    let answers: Vec<String> = attempts
        .map(|attempt| match attempt.get("error").and_then(Value::as_str) {
            Some(error) => error.to_owned(),
            None => attempt.get("status").map(ToString::to_string).unwrap_or_default(),
        })
        .collect();
    format!("unexpected: {} {} {} ({})", text("event_id"), text("type"), text("outcome"), answers.join(", "))
}

fn number(progress: &Value, member: &str) -> u64 {
    progress.get(member).and_then(Value::as_u64).unwrap_or_default()
}
