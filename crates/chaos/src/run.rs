//! One scenario from its beginning to its verdict.

use crate::args::Args;
use crate::fault::Site;
use crate::load::Load;
use crate::pace::Dice;
use crate::progress::Progress;
use crate::report::Row;
use crate::scenario::{Allowed, Scenario};
use crate::servers::Servers;
use crate::system::System;
use crate::{settle, verdict};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Load before the first fault, and after the last.
const CALM: Duration = Duration::from_secs(2);

/// Runs a scenario.
///
/// # Errors
/// When it cannot be carried out. A broken promise is a complaint of the row.
pub(crate) async fn run(scenario: &Scenario, args: &Args, seed: u64, progress: &Progress) -> Result<Row> {
    progress.say(scenario.about);
    let servers = Servers::of(&args.root)?;
    servers.start().await?;
    let mut system = System::start().await?;
    let load = Load::new(system.addresses(), &system.secret)?;
    let sessions = system.platform.sessions.clone();
    let pace = args.pace();

    let stop = CancellationToken::new();
    let sending = load.run(pace, &sessions, Dice::new(seed, scenario.name, "load"), stop.clone());
    let breaking = async {
        // However it ends, the sender must learn of it.
        let _stopped = stop.clone().drop_guard();
        sleep(CALM).await;
        let dice = Dice::new(seed, scenario.name, "faults");
        let mut site = Site {
            system: &mut system,
            servers: &servers,
            load: &load,
            pace,
            dice,
            progress,
            complaints: Vec::new(),
        };
        site.inflict(scenario.fault).await?;
        progress.say("healed");
        let healed = Instant::now();
        let complaints = site.complaints;
        sleep(CALM).await;
        anyhow::Ok((healed, complaints))
    };
    let under_load = async { tokio::join!(breaking, sending).0 };
    let broken = tokio::select! {
        broken = under_load => broken,
        () = progress.watch(&load.journal) => unreachable_end(),
    };
    let outcome = match broken {
        Ok((healed, complaints)) => judged(scenario, &mut system, &load, healed, complaints, progress).await,
        Err(error) => Err(error),
    };
    let logs = args.logs.join(scenario.name);
    match &outcome {
        Ok(row) if row.complaints.is_empty() => {}
        Ok(_) | Err(_) => {
            system.keep_logs(&logs).context("cannot keep the logs")?;
            progress.say(&format!("the logs are in {}", logs.display()));
        }
    }
    outcome
}

/// The watch goes on for ever; the other branch ends first.
fn unreachable_end<T>() -> Result<T> {
    anyhow::bail!("the progress ended before the scenario")
}

/// Waits until all has settled, gives the dead letters new tries, and compares.
async fn judged(
    scenario: &Scenario,
    system: &mut System,
    load: &Load,
    healed: Instant,
    mut complaints: Vec<String>,
    progress: &Progress,
) -> Result<Row> {
    let journal = &load.journal;
    let settled = settle::finished(&system.storage, journal).await;
    let seconds = settled.is_ok().then(|| healed.elapsed().as_secs_f64());
    complaints.extend(settled.err().map(|error| format!("{error:#}")));
    complaints
        .extend(settle::agreed(&system.storage, &system.operator).await.err().map(|e| format!("{e:#}")));

    let dead = verdict::dead(system).await?;
    if dead > 0 {
        progress.say(&format!("{dead} dead letters are replayed"));
        system.operator.must(&["dlq", "replay", "--all", "--yes"]).await?;
        complaints.extend(settle::finished(&system.storage, journal).await.err().map(|e| format!("{e:#}")));
        complaints
            .extend(settle::agreed(&system.storage, &system.operator).await.err().map(|e| format!("{e:#}")));
        let still = verdict::dead(system).await?;
        if still > 0 {
            complaints.push(format!("{still} events died again after their replay"));
        }
    }
    let mut figures = verdict::judge(system, journal).await?;
    complaints.append(&mut figures.complaints);
    let sender = journal.counts();
    if sender.non_2xx() > 0 && !scenario.allows(Allowed::Refusals) {
        complaints.push(format!("answers other than 2xx: {:?}", sender.refusals));
    }
    if dead > 0 && !scenario.allows(Allowed::DeadLetters) {
        complaints.push(format!("{dead} events used up their tries"));
    }
    Ok(Row {
        scenario: scenario.name,
        about: scenario.about,
        seconds: progress.seconds(),
        sender,
        figures,
        dead,
        settled_seconds: seconds,
        complaints,
    })
}
