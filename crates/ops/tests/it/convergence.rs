//! In whatever order and however often events come, everything ends the same.

use crate::bench::{Bench, PATIENCE, Platform, Worker, after, event, message, processing};
use anyhow::{Result, ensure};
use broker::Queue;
use chrono::SecondsFormat;
use domain::Clock;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::json;
use std::sync::Arc;
use store::NewEvent;
use testkit::{eventually, payload};

const SHUFFLES: u32 = 60;
const DELIVERIES: usize = 5;

/// Everything that can happen to a session, ties included: seconds after noon, and type.
const STORY: [(i64, &str); 9] = [
    (-90, "session.created"),
    (-80, "session.running"),
    (-70, "session.budget_reached"),
    (-70, "session.status_error"),
    (-60, "session.status_idled"),
    (-60, "session.requires_action"),
    (-60, "session.something_new"),
    (-50, "session.updated"),
    (-40, "session.archived"),
];

/// The story of one session. One of its events comes in the flat dialect, which names no workspace.
fn story(session: &str, deleted: bool) -> Result<Vec<NewEvent>> {
    let mut types = STORY.to_vec();
    if deleted {
        types.push((-30, "session.deleted"));
    }
    let id = |n: usize| format!("whe_{session}_{n}");
    let platform = |(n, (seconds, kind)): (usize, &(i64, &str))| {
        event(&payload::platform(&id(n), kind, session, after(*seconds)))
    };
    let mut events: Vec<NewEvent> = types.iter().enumerate().map(platform).collect::<Result<_>>()?;
    let at = after(-55).to_rfc3339_opts(SecondsFormat::Secs, true);
    events.push(event(&json!({
        "id": id(99), "type": "session.updated", "created_at": at, "session_id": session,
    }))?);
    Ok(events)
}

/// What is left of a session in the end, with the session's own id taken out.
async fn end_of(bench: &Bench, session: &str) -> Result<Vec<String>> {
    let lines = bench
        .texts(format!(
            "SELECT 'state ' || concat_ws(' ', status, workspace_id, snapshot_source, snapshot_status, deleted_at, \
                 waiting::text, last_event_created_at, last_event_rank, last_event_id) \
             FROM resources WHERE resource_id = '{session}' \
             UNION ALL \
             SELECT 'effect ' || concat_ws(' ', kind, key, standing, detail) \
             FROM (SELECT * FROM effects WHERE resource_id = '{session}' ORDER BY kind, key) AS effects \
             UNION ALL \
             SELECT 'history ' || concat_ws(' ', created_at, rank, event_id, event_type) \
             FROM (SELECT * FROM resource_history WHERE resource_id = '{session}' \
                 ORDER BY created_at, rank, event_id COLLATE \"C\") AS history"
        ))
        .await?;
    Ok(lines.into_iter().map(|line| line.replace(session, "SESSION")).collect())
}

/// Plays the story to many sessions at once, each in another order, and gives what is left of each.
async fn ends(deleted: bool) -> Result<Vec<Vec<String>>> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    let mut dice = StdRng::seed_from_u64(7);
    let sessions: Vec<String> = (0..SHUFFLES).map(|n| format!("sesn_{n:02}")).collect();
    let mut queues = Vec::new();
    let mut stored = Vec::new();
    for session in &sessions {
        platform.waiting(session).await?;
        let events = story(session, deleted)?;
        let mut copies: Vec<_> = events.iter().flat_map(|event| vec![message(event); DELIVERIES]).collect();
        copies.shuffle(&mut dice);
        queues.push(copies);
        stored.extend(events);
    }
    bench.accept(&stored).await?;
    // One message of each session after the other, so that no session is finished in one go.
    let rounds = queues.first().map_or(0, Vec::len);
    let mixed: Vec<_> =
        (0..rounds).flat_map(|n| queues.iter().filter_map(move |queue| queue.get(n)).cloned()).collect();
    bench.clock.advance(std::time::Duration::from_secs(30));
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let worker = Worker::with(&bench, &platform, processing()?, bench.store.clone(), clock, 90).await?;
    bench.publish(Queue::Work, &mixed).await?;
    eventually(PATIENCE * 2, "no pending event", async || {
        let ledger = bench.ledger().await?;
        ensure!(ledger.pending == 0 && ledger.balances(), "{ledger:?}");
        ensure!(ledger.dead == 0, "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    bench.until_outbox(0).await?;
    let mut ends = Vec::new();
    for session in &sessions {
        ends.push(end_of(&bench, session).await?);
    }
    Ok(ends)
}

#[tokio::test(flavor = "multi_thread")]
async fn state_history_and_effects_do_not_depend_on_order_or_number_of_deliveries() -> Result<()> {
    let ends = ends(false).await?;
    let first = &ends[0];
    let of_kind = |kind: &str| first.iter().filter(|line| line.starts_with(kind)).count();
    assert_eq!((of_kind("state"), of_kind("history")), (1, STORY.len() + 1));
    // Two reviews, two alerts, one archiving.
    assert_eq!(of_kind("effect"), 5, "{first:#?}");
    assert!(first[0].starts_with("state idle wrkspc_01TestWorkspace000001 api idle"), "{first:#?}");
    for end in &ends {
        assert_eq!(end, first);
    }
    Ok(())
}

/// After a deletion there is nothing to fetch any more, so what was seen before depends on when the deletion came. What
/// counts does not: status, order, history, and what is still to be done.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_leads_to_the_same_end_whenever_it_comes() -> Result<()> {
    let ends: Vec<Vec<String>> = ends(true)
        .await?
        .into_iter()
        .map(|lines| {
            let open = |line: &String| !line.starts_with("effect ") || line.contains(" due ");
            let short = |line: String| match line.strip_prefix("state ") {
                Some(state) => format!("state {}", state.split(' ').next().unwrap_or_default()),
                None => line,
            };
            lines.into_iter().filter(open).map(short).collect()
        })
        .collect();
    let first = &ends[0];
    assert!(first.contains(&"state deleted".to_owned()), "{first:#?}");
    assert_eq!(first.iter().filter(|line| line.starts_with("effect alert")).count(), 2, "{first:#?}");
    assert_eq!(first.iter().filter(|line| line.starts_with("effect")).count(), 2, "{first:#?}");
    for end in &ends {
        assert_eq!(end, first);
    }
    Ok(())
}
