//! `worker reconcile`.

use crate::answer::{Answer, remark};
use crate::print::table::Rows;
use crate::print::{Colours, Form, json};
use crate::{api, connect};
use chrono::TimeDelta;
use domain::{Clock, ResourceKind};
use indicatif::{ProgressBar, ProgressStyle};
use ops::reconcile::{Metrics, Options, Progress, Reconciler, Report};
use runtime::SystemClock;
use settings::{ClaudeArgs, DatabaseArgs, Problems};
use std::sync::Arc;
use std::time::Duration;
use store::Tx;

/// How often to ask whether the worker that reconciles right now is done.
const TURN_CHECK: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker reconcile
  worker reconcile --since 2h --kind session
  worker reconcile --all --dry-run || echo 'something was never delivered'

The platform tries a delivery three times within minutes and then forgets it. This lists what there
is, compares it with what is stored, and queues an event for everything that was not told; a worker
then fetches and applies it like any other. Workers do the same by themselves every 5 minutes.

Exit codes: 0 done; 1 with --dry-run, when something differs; 75 Postgres or the API is away. What
was found until then is queued, and the next call goes on there.")]
pub(crate) struct Args {
    /// Only this kind, such as session or vault; may be given several times. Threads are compared with their sessions,
    /// credentials with their vaults
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<ResourceKind>,

    /// Look into what has changed since so long ago [default: since the last pass; once a day everything is listed]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "all")]
    since: Option<Duration>,

    /// List everything and look into all of it from its beginning: at least one call for each session
    #[arg(long)]
    all: bool,

    /// Only tell what differs, queue nothing
    #[arg(long)]
    dry_run: bool,

    /// Leave alone what happened within this time: its delivery may be on the way
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = humantime::parse_duration)]
    grace: Duration,

    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    claude: ClaudeArgs,
}

fn kind(text: &str) -> Result<ResourceKind, String> {
    let kind: ResourceKind = text.parse().map_err(|error| format!("{error}"))?;
    let known = domain::reconcile::KINDS;
    if known.contains(&kind) {
        return Ok(kind);
    }
    let names: Vec<&str> = known.iter().map(|kind| kind.as_str()).collect();
    Err(format!("the API lists no {kind}; it lists {}", names.join(", ")))
}

/// Makes a pass.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let mut problems = Problems::new();
    let database = args.database.validate(&mut problems);
    let claude = args.claude.validate(&mut problems);
    let (database, claude) = problems.into_result(database.zip(claude))?;
    let store = connect::open_store(&database)?;
    // What a command asks counts like what the workers ask.
    let budget = api::budget(&claude, &store, Arc::new(SystemClock), ops::budget::Metrics::default());
    let claude = api::client(&claude, None, Some(budget))?;
    let reconciler = Reconciler::new(store, claude, Arc::new(SystemClock), Metrics::default());
    let ago = |time: Duration| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    let options = Options {
        kinds: args.kinds.clone(),
        since: args.since.and_then(|since| SystemClock.now().checked_sub_signed(ago(since))),
        all: args.all,
        dry_run: args.dry_run,
        grace: ago(args.grace),
    };
    let bar = bar();
    let turn = turn(&reconciler, &bar).await?;
    let mut tell = |progress: Progress| {
        bar.set_message(progress.kind.as_str());
        bar.set_position(progress.compared);
    };
    let report = reconciler.reconcile(&options, &mut tell).await;
    bar.finish_and_clear();
    let report = report?;
    turn.commit().await?;
    let text = match form {
        Form::Json => json::object(&report)?,
        Form::Text(colours) => {
            if args.dry_run {
                remark("dry run: nothing was queued");
            }
            table(&report, colours)
        }
    };
    Ok(Answer::new(text).failed_if(args.dry_run && report.differs()))
}

/// Waits until no worker is at it: two at a time would do no harm and cost twice.
async fn turn(reconciler: &Reconciler, bar: &ProgressBar) -> anyhow::Result<Tx> {
    loop {
        if let Some(turn) = reconciler.elect().await? {
            return Ok(turn);
        }
        bar.set_message("waiting for the worker that compares right now");
        tokio::time::sleep(TURN_CHECK).await;
    }
}

/// A line on standard error that says how far it is; nothing where that is no terminal. How much there is, no list says.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // An unreadable template would only cost looks, so the default stays then.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} compared, {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn table(report: &Report, colours: Colours) -> String {
    let header = ["kind", "compared", "missing", "differing", "deleted", "queued", "known", "unsettled"];
    let mut rows = Rows::with_header(&header, colours);
    for kind in &report.kinds {
        rows.add([
            kind.kind.as_str(),
            &kind.compared.to_string(),
            &kind.missing.to_string(),
            &kind.differing.to_string(),
            &kind.deleted.to_string(),
            &kind.queued.to_string(),
            &kind.known.to_string(),
            &kind.unsettled.to_string(),
        ]);
    }
    rows.render()
}
