//! Workers that die, and workers that are told to go.

use crate::node::Role;
use crate::stack::Stack;
use crate::stage::slow;
use crate::system::{PATIENCE, System};
use anyhow::{Context, Result, ensure};
use rand::RngExt;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::eventually;

const EVENTS: u64 = 500;
const ROUNDS: u64 = 10;

/// Waits until this many events are in their final state.
async fn progress(system: &System, events: u64) -> Result<()> {
    eventually(PATIENCE, &format!("{events} finished events"), async || {
        let finished = system.finished().await?;
        ensure!(finished >= events, "{finished}");
        Ok(Some(()))
    })
    .await
}

/// Checks that the open reviews are those of the platform, and that each event that alerts did so once.
async fn effects_happened_once(system: &System) -> Result<()> {
    let sessions = "SELECT DISTINCT resource_id FROM events WHERE resource_type = 'session'";
    for row in system.stack.rows(sessions).await? {
        let session = row["resource_id"].as_str().context("no id")?;
        let truth = system.stage.truth(session).await?;
        let shown = system.ask(&["resources", "show", "session", session]).await?;
        let open = |list: &Value, member: &str| -> BTreeSet<String> {
            let list = list.as_array().into_iter().flatten();
            let ids = list.filter(|effect| {
                member.is_empty() || (effect["kind"] == "review" && effect["standing"] == "due")
            });
            ids.filter_map(|effect| if member.is_empty() { effect.as_str() } else { effect[member].as_str() })
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(open(&shown["effects"], "key"), open(&truth["blocking"], ""), "{session}");
        assert_eq!(shown["status"], truth["session"]["status"], "{session}");
    }
    let twice = "SELECT resource_id, kind, key FROM effects GROUP BY resource_type, resource_id, kind, key HAVING count(*) > 1";
    assert_eq!(system.stack.rows(twice).await?, Vec::<Value>::new());
    let history = "SELECT event FROM resource_history GROUP BY event HAVING count(*) > 1";
    assert_eq!(system.stack.rows(history).await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn ten_crashes_of_the_worker_lose_nothing_and_do_nothing_twice() -> Result<()> {
    let mut system = System::start().await?;
    system.stage.faults(json!([slow(15)])).await?;
    let order = json!({ "count": EVENTS, "sessions": 50, "shuffle": true, "duplicates": 0.1, "rate": 150.0 });
    let batch = system.stage.begin_batch(order).await?;
    for round in 0..ROUNDS {
        let share = EVENTS * 9 / 10 / ROUNDS;
        let moment = round * share + rand::rng().random_range(0..share);
        progress(&system, moment).await?;
        system.crash_worker(0).await?;
    }
    let figures = system.stage.end_batch(batch).await?;
    assert_eq!(figures["unexpected"], 0, "{figures}");
    system.all_finished(EVENTS).await?;
    effects_happened_once(&system).await?;
    let ledger = system.balanced().await?;
    assert_eq!((&ledger["accepted"], &ledger["dead"]), (&json!(EVENTS), &json!(0)));
    assert_eq!(
        system.stack.number("SELECT count(*) AS number FROM attempts").await?,
        0,
        "a crash is not a try"
    );
    Ok(())
}

#[tokio::test]
async fn a_worker_that_is_told_to_go_finishes_or_gives_back_and_others_take_over() -> Result<()> {
    const SESSIONS: u64 = 120;
    let mut stack = Stack::new().await?;
    stack.set("HOLDFAST_DRAIN", "5s");
    stack.set("HOLDFAST_CONCURRENCY", "4");
    stack.set("HOLDFAST_PREFETCH", "20");
    let mut system = System::start_on(stack).await?;
    system.add(Role::Worker).await?;
    system.stage.faults(json!([slow(60)])).await?;
    let order = json!({ "count": SESSIONS, "sessions": SESSIONS });
    let batch = system.stage.begin_batch(order).await?;
    progress(&system, 20).await?;
    let leaving = system.workers.first_mut().context("no worker")?;
    let begun = std::time::Instant::now();
    leaving.process.sigterm()?;
    let exit = leaving.process.wait_exit(PATIENCE).await?;
    assert_eq!(exit.code(), Some(0));
    assert!(begun.elapsed().as_secs() < 7, "{:?}", begun.elapsed());
    assert!(system.finished().await? < SESSIONS, "nothing was left to take over");
    system.stage.end_batch(batch).await?;
    system.all_finished(SESSIONS).await?;
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn a_worker_that_hangs_is_cut_off_at_its_drain_and_its_work_is_done_by_others() -> Result<()> {
    let mut stack = Stack::new().await?;
    stack.set("HOLDFAST_DRAIN", "1s");
    let mut system = System::start_on(stack).await?;
    system.stage.put_session("sesn_1", json!({})).await?;
    system.stage.faults(json!([{ "path": "/v1/sessions", "latency_ms": 20_000, "times": 1 }])).await?;
    let webhook = json!({ "id": "whe_1", "type": "session.status_idled", "session": "sesn_1" });
    system.stage.deliver(webhook).await?;
    eventually(PATIENCE, "a call that hangs", async || {
        let faults = system.stage.control(reqwest::Method::GET, "/faults", json!({})).await?;
        Ok((faults["rules"][0]["times"] == 0).then_some(()))
    })
    .await?;
    let hanging = system.workers.first_mut().context("no worker")?;
    hanging.process.sigterm()?;
    assert_eq!(hanging.process.wait_exit(PATIENCE).await?.code(), Some(0));
    system.add(Role::Worker).await?;
    let story = system.event("whe_1", "applied").await?;
    assert_eq!(story["tries"], 0);
    system.balanced().await?;
    Ok(())
}
