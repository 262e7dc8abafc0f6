//! `simulator live`.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use comfy_table::Table;
use reqwest::Method;
use serde_json::Value;

use crate::{
    cli::{
        args::Live,
        client::{Control, print_json, print_line},
    },
    lives::LiveOrder,
};

const POLL: Duration = Duration::from_millis(200);

/// Starts lives, follows them to their end and prints what became of them. 1 when somebody waited in vain or a webhook
/// was not taken.
pub(crate) async fn live(args: &Live) -> anyhow::Result<ExitCode> {
    let control = Control::new(&args.target.simulator)?;
    let order = serde_json::to_value(order(args)).context("could not write the order")?;
    let mut progress = control.call(Method::POST, "lives", Some(&order)).await?;
    let path = format!("lives/{}", number(&progress, "id"));
    while progress.get("done") != Some(&Value::Bool(true)) {
        tokio::time::sleep(POLL).await;
        progress = control.call(Method::GET, &path, None).await?;
    }
    if args.json {
        print_json(&progress)?;
    } else {
        print_summary(&progress)?;
    }
    let fine = number(&progress, "unanswered") == 0 && number(&progress, "failed") == 0;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn order(args: &Live) -> LiveOrder {
    LiveOrder {
        sessions: args.sessions,
        resources: args.resources,
        turns: args.turns,
        asks: args.asks,
        abandon: args.abandon,
        duplicates: args.duplicates,
        drop: args.drop,
        shuffle_ms: args.shuffle_ms,
        pace_ms: args.pace_ms,
        patience_seconds: args.patience_seconds,
        seed: args.seed,
    }
}

fn print_summary(progress: &Value) -> anyhow::Result<()> {
    let rows = [
        ("sessions", "sessions"),
        ("other resources", "resources"),
        ("lives that are over", "ended"),
        ("tool uses to answer", "asked"),
        ("sessions that waited in vain", "unanswered"),
        ("events", "webhooks"),
        ("  never sent on purpose", "dropped"),
        ("  not taken by the receiver", "failed"),
        ("milliseconds", "elapsed_ms"),
    ];
    let mut table = Table::new();
    table.load_style(comfy_table::TableStyle::default());
    for (label, member) in rows {
        table.add_row([label.to_owned(), number(progress, member).to_string()]);
    }
    print_line(&table.to_string())
}

fn number(progress: &Value, member: &str) -> u64 {
    progress.get(member).and_then(Value::as_u64).unwrap_or_default()
}
