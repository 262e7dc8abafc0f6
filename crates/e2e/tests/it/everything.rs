//! Everything at once: two hundred sessions with reviews, tools, errors, closings and deletions, and other resources
//! beside them; a third of all webhooks lost, others twice and late, and workers that are killed. In the end Holdfast
//! knows what the platform knows, every tool use was answered exactly once, and every transcript is whole.

mod person;
mod verdict;

use crate::node::Role;
use crate::stack::Stack;
use crate::stage::Stage;
use crate::system::System;
use anyhow::{Context, Result, ensure};
use person::Person;
use rand::RngExt;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;
use tokio::time::sleep;

/// How many sessions live.
const SESSIONS: u64 = 200;

/// How many other resources do.
const RESOURCES: u64 = 40;

/// How often a worker is killed meanwhile, at most and at least.
const KILLS: usize = 10;
const FEWEST_KILLS: usize = 5;

/// How long the lives, and afterwards the agreement, may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// Who answers what: a program, a rule, and for the rest a person.
const POLICY: &str = r#"
[[rules]]
name = "executed"
tool = "echo"
route = "executor"
executor = "echo"

[[rules]]
name = "no shell"
tool = "bash"
route = "deny"
message = "No shell here."

[executors.echo]
url = "EXECUTOR_URL"
secret = "EXECUTOR_SECRET"
rests = ["200ms", "400ms"]
"#;

#[tokio::test]
async fn two_hundred_sessions_end_as_on_the_platform_whatever_is_lost_repeated_or_killed() -> Result<()> {
    let mut stack = Stack::new().await?;
    let policy = NamedTempFile::new()?;
    stack.set("HOLDFAST_POLICY", policy.path().to_str().context("a path that is no text")?);
    stack.set("HOLDFAST_RECONCILE_INTERVAL", "5s");
    let mut system = System::without_processes(stack).await?;
    write_policy(&policy, &system)?;
    for role in [Role::Ingest, Role::Worker, Role::Worker] {
        system.add(role).await?;
    }
    let order = json!({ "sessions": SESSIONS, "resources": RESOURCES, "asks": 0.4, "abandon": 0.15, "drop": 0.3,
        "duplicates": 0.3, "shuffle_ms": 1500, "pace_ms": 2500 });
    let begun = system.stage.control(Method::POST, "/lives", order).await?;
    let lives = begun["id"].as_u64().context("lives without a number")?;

    let mut person = Person::default();
    let begun = Instant::now();
    let mut kills = 0;
    loop {
        let progress = system.stage.control(Method::GET, &format!("/lives/{lives}"), json!({})).await?;
        let done = progress["done"] == true;
        ensure!(begun.elapsed() < PATIENCE, "{progress}\n{person:?}");
        if !done && kills < KILLS {
            let victim = system.workers.get_mut(rand::rng().random_range(0..2)).context("no worker")?;
            victim.kill()?;
            victim.restart(&system.stack).await?;
            kills += 1;
        }
        person.works_through(&system.stack).await?;
        if done {
            dropped(&progress)?;
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    ensure!(kills >= FEWEST_KILLS, "the lives were over after {kills} kills");
    // What was deleted is missed by a comparison of everything only, which the timer makes once a day.
    system.ask(&["reconcile", "--all"]).await?;
    settled(&system, &mut person).await?;
    verdict::accounted(&system).await?;
    ensure!(person.decided.len() > 20, "{person:?}");
    Ok(())
}

fn write_policy(mut file: &NamedTempFile, system: &System) -> Result<()> {
    let executor = executor(&system.stage);
    let policy = POLICY.replace("EXECUTOR_URL", &executor).replace("EXECUTOR_SECRET", &system.stack.secret);
    Ok(file.write_all(policy.as_bytes())?)
}

fn executor(stage: &Stage) -> String {
    format!("{}/_sim/executor", stage.api_url())
}

/// About a third was lost on the way, or this would prove little.
fn dropped(progress: &Value) -> Result<()> {
    let number = |member: &str| progress[member].as_u64().unwrap_or_default();
    ensure!(number("dropped") * 5 > number("webhooks") && number("failed") == 0, "{progress}");
    Ok(())
}

/// Waits until both sides agree, answering what is asked.
async fn settled(system: &System, person: &mut Person) -> Result<()> {
    let begun = Instant::now();
    loop {
        let asked = person.works_through(&system.stack).await?;
        let differences = verdict::differences(system).await?;
        if asked == 0 && differences.is_empty() {
            return Ok(());
        }
        let some = differences.get(..20).unwrap_or(&differences);
        ensure!(begun.elapsed() < PATIENCE, "{} differences, such as {some:#?}", differences.len());
        sleep(Duration::from_secs(1)).await;
    }
}
