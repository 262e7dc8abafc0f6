//! `worker dlq replay`.

mod cancel;
mod preview;

use super::confirm;
use super::interrupt::Interrupt;
use super::progress::Bar;
use super::selection::{Selected, SelectionArgs};
use super::settle;
use crate::answer::{Answer, remark};
use crate::connect;
use crate::error::Error;
use crate::print::text::counted;
use crate::print::{Form, json};
use domain::Clock;
use ops::dead::{self, Progress, ReplayError, Selection, Settled};
use runtime::SystemClock;
use serde::Serialize;
use settings::{BrokerArgs, DatabaseArgs};
use std::cell::Cell;
use std::ops::ControlFlow;
use store::{Replay, Store};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker dlq replay whe_01ABC whe_01DEF
  worker dlq replay --class transient --older-than 10m --dry-run
  worker dlq replay --all --rate 50 --yes
  worker dlq replay --resume 7

A replayed event begins a new generation with all its tries. Ctrl-C stops between two chunks; what
is left can be taken up with --resume.")]
pub(crate) struct Args {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Only print what would be replayed
    #[arg(long, help_heading = "How")]
    dry_run: bool,

    /// Events per second at most [default: as many as Postgres takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "How")]
    rate: Option<u32>,

    /// Take up a replay that was interrupted
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["ids", "all", "FilterArgs", "dry_run"], help_heading = "How")]
    resume: Option<i64>,

    /// Stop a replay that is running, or was interrupted; what it has replayed stays replayed
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["ids", "all", "FilterArgs", "dry_run", "resume", "rate"], help_heading = "How")]
    cancel: Option<i64>,

    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Serialize)]
struct Replayed {
    #[serde(flatten)]
    replay: Replay,
    /// What happened to the broker's copies; null when that is left to the workers.
    settled: Option<Settled>,
}

/// Replays, or resumes or cancels a replay.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    if let Some(id) = args.cancel {
        return cancel::run(&connect::store(&args.database)?, id, form).await;
    }
    if let Some(id) = args.resume {
        let (store, broker) = connect::both(&args.database, &args.broker)?;
        let replay =
            carried_out(async |report| dead::resume(&store, &SystemClock, id, args.rate, report).await);
        let replay = replay.await?;
        let settled = settle::follow_up(&store, &broker, replay.replayed.unsigned_abs()).await;
        return report(replay, settled, form);
    }
    let selected = args.selection.select(SystemClock.now())?;
    if args.dry_run {
        let store = connect::store(&args.database)?;
        args.selection.check_ids(&store).await?;
        return preview::run(&store, &selected.filter, form).await;
    }
    if !selected.by_id && !args.selection.yes && !confirm::somebody_is_there() {
        return Err(Error::CannotAsk { action: "replay" }.into());
    }
    let (store, broker) = connect::both(&args.database, &args.broker)?;
    args.selection.check_ids(&store).await?;
    ask(&args.selection, &selected, &store).await?;
    let selection = Selection { filter: selected.filter, rate: args.rate };
    let replay =
        carried_out(async |report| dead::replay(&store, &SystemClock, selection, report).await).await?;
    let settled = settle::follow_up(&store, &broker, replay.replayed.unsigned_abs()).await;
    report(replay, settled, form)
}

async fn ask(args: &SelectionArgs, selected: &Selected, store: &Store) -> anyhow::Result<()> {
    if selected.by_id || args.yes {
        return Ok(());
    }
    let count = store::count_dead(&mut *store.connection().await?, &selected.filter).await?;
    if count > 0 {
        confirm::ask("Replay", count)?;
    }
    Ok(())
}

/// Lets a replay run, with a progress bar, until it is done or Ctrl-C stops it.
async fn carried_out(
    replay: impl AsyncFnOnce(&mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Replay, ReplayError>,
) -> anyhow::Result<Replay> {
    let bar = Bar::new();
    let interrupt = Interrupt::default();
    let id = Cell::new(0);
    let mut report = |progress: Progress| {
        id.set(progress.id);
        bar.show(progress);
        if interrupt.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let finished = interrupt.listen_during(replay(&mut report)).await?;
    Ok(finished.ok_or(Error::Interrupted { id: id.get() })??)
}

fn report(replay: Replay, settled: Option<Settled>, form: Form) -> anyhow::Result<Answer> {
    let unfinished = replay.status != "finished";
    if replay.status == "running" {
        remark(&format!(
            "Stopped after {} of {}. Go on with: worker dlq replay --resume {}",
            replay.replayed, replay.total, replay.id
        ));
    }
    let text = match form {
        Form::Json => json::object(&Replayed { replay, settled })?,
        Form::Text(_) if replay.total == 0 => "no dead letters match\n".to_owned(),
        Form::Text(_) => {
            let replayed = counted(replay.replayed, "dead letter");
            format!("{replayed} replayed of {}, replay {} is {}\n", replay.total, replay.id, replay.status)
        }
    };
    Ok(Answer::new(text).failed_if(unfinished))
}
