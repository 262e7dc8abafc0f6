//! `worker audit`.

mod text;

use crate::answer::{Answer, remark};
use crate::connect;
use crate::print::{Form, json};
use indicatif::{ProgressBar, ProgressStyle};
use ops::audit::{Config, Options, Progress, Proof, audit};
use runtime::SystemClock;
use serde::Serialize;
use settings::{BrokerArgs, DatabaseArgs};
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker audit
  worker audit --dry-run --wait 10m
  worker audit --json | jq .queue

Proves that every accepted event is in exactly one state, and that every unfinished one is still to
be published, in RabbitMQ or with a worker. The queue cannot be searched, so a marker is placed at
its end: when a worker is handed it, so was all that came before. What is nowhere then is queued
again. Workers do the same by themselves once a minute.

Exit codes: 0 all accounted for; 1 something was found; 75 not proven in time, ask again later.")]
pub(crate) struct Args {
    /// Longest time to wait for the marker and for what workers hold
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = humantime::parse_duration)]
    wait: Duration,

    /// Only count lost events, queue nothing again
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Serialize)]
struct Audited {
    /// Whether everything is accounted for. False also where it could not be proven.
    accounted: bool,
    #[serde(flatten)]
    report: ops::audit::Report,
}

/// Makes an audit.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let (store, broker) = connect::both(&args.database, &args.broker)?;
    let options = Options { wait: args.wait, dry_run: args.dry_run };
    let bar = bar();
    let mut tell = |progress: &Progress| bar.set_message(doing(progress));
    let audited = audit(&store, &broker, &SystemClock, &Config::default(), options, &mut tell).await;
    bar.finish_and_clear();
    let report = audited?;
    let (found, open) = (report.found(), report.is_open());
    let text = match form {
        Form::Json => json::object(&Audited { accounted: !found && !open, report })?,
        Form::Text(colours) => {
            if args.dry_run {
                remark("dry run: nothing is queued again by this audit");
            }
            text::report(&report, colours)
        }
    };
    Ok(Answer::new(text).open_or_failed(open, found))
}

/// A line on standard error that says what is waited for; nothing where that is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // An unreadable template would only cost looks, so the default stays then.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn doing(progress: &Progress) -> String {
    match progress {
        Progress::Rows => "comparing rows".to_owned(),
        Progress::Queue(Proof::InQueue) => "the marker waits in the queue".to_owned(),
        Progress::Queue(Proof::Grace | Proof::Proven) => "the marker is back; waiting a moment".to_owned(),
        Progress::Queue(Proof::InHands { worker }) => {
            format!("worker {worker} has not said yet that it is done with what came before the marker")
        }
    }
}
