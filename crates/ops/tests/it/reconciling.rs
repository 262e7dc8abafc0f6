//! What was never delivered is found, and ends where what was delivered ends.

mod kinds;
mod passes;
mod postbox;
mod stand;
mod waking;

use crate::bench::Platform;
use anyhow::Result;
use bytes::Bytes;
use domain::ResourceKind;
use ops::reconcile::{KindReport, Options, Report};
use postbox::Postbox;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::json;
use stand::Stand;

/// What the platform does to sessions, one after the other, as long as a session is alive.
const LIVELY: [&str; 10] = [
    "run_started",
    "turn_end",
    "requires_action",
    "error",
    "retries_exhausted",
    "budget_reached",
    "outcome",
    "updated",
    "thread_lifecycle",
    "thread_idled",
];

pub(crate) async fn play(platform: &Platform, scenario: &str, session: &str) -> Result<()> {
    let body = json!({ "session": session, "wait": true });
    platform.control(Method::POST, &format!("/scenarios/{scenario}"), &body).await?;
    Ok(())
}

/// A session that is idle and has never worked.
pub(crate) async fn born(platform: &Platform, session: &str) -> Result<()> {
    platform.control(Method::PUT, &format!("/sessions/{session}"), &json!({})).await?;
    Ok(())
}

/// Lets sessions live for a while.
async fn lives(platform: &Platform, sessions: &[String], steps: usize, dice: &mut StdRng) -> Result<()> {
    for session in sessions {
        for _ in 0..steps {
            play(platform, LIVELY.choose(dice).unwrap_or(&"updated"), session).await?;
        }
    }
    Ok(())
}

pub(crate) fn dropping(bodies: &[Bytes], share: f64, dice: &mut StdRng) -> Vec<Bytes> {
    bodies.iter().filter(|_| !dice.random_bool(share)).cloned().collect()
}

/// What only one of two ends has, marked.
pub(crate) fn differences(one: &[String], other: &[String]) -> Vec<String> {
    let without = |mark: &'static str, lines: &[String], others: &[String]| {
        let mut others = others.to_vec();
        let mut rest = Vec::new();
        for line in lines {
            match others.iter().position(|other| other == line) {
                Some(index) => drop(others.swap_remove(index)),
                None => rest.push(format!("{mark} {line}")),
            }
        }
        rest
    };
    [without("surplus", one, other), without("lacking", other, one)].concat()
}

/// What was found of a kind; nothing, where it was not compared.
pub(crate) fn of(report: &Report, kind: &str) -> KindReport {
    let found = report.kinds.iter().find(|report| report.kind.as_str() == kind).cloned();
    found.unwrap_or_else(|| KindReport::new(ResourceKind::Session))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_missed_a_third_of_all_deliveries_ends_where_one_that_got_all_ends() -> Result<()> {
    let mut dice = StdRng::seed_from_u64(30);
    let platform = Platform::start().await?;
    let postbox = Postbox::of(&platform).await?;
    let (whole, lossy) = (Stand::new().await?, Stand::new().await?);
    let sessions: Vec<String> = (0..12).map(|n| format!("sesn_{n:02}")).collect();
    for session in &sessions {
        born(&platform, session).await?;
    }
    lives(&platform, &sessions, 6, &mut dice).await?;
    let all = postbox.emptied();
    whole.told(&all).await?;
    lossy.told(&dropping(&all, 0.3, &mut dice)).await?;
    for stand in [&whole, &lossy] {
        stand.processed(&platform).await?;
    }
    // The second half of their lives.
    lives(&platform, &sessions, 3, &mut dice).await?;
    let all = postbox.emptied();
    whole.told(&all).await?;
    let heard = dropping(&all, 0.3, &mut dice);
    assert!(heard.len() < all.len() * 4 / 5, "too little is dropped to show anything");
    lossy.told(&heard).await?;
    for stand in [&whole, &lossy] {
        stand.processed(&platform).await?;
    }
    assert_ne!(lossy.end().await?, whole.end().await?, "nothing was missed");
    let report = lossy.reconcile(&platform, &Options::default()).await?;
    assert!(of(&report, "session").queued > 0, "{report:?}");
    lossy.processed(&platform).await?;
    assert_eq!(differences(&lossy.end().await?, &whole.end().await?), [""; 0]);

    // The end of some, of which the one hears all and the other nothing. What is deleted has no list of events any more, so
    // nothing else may have happened to it unheard.
    let ended = sessions.iter().zip(["terminated", "archived", "deleted", "deleted"]);
    for (session, _) in ended.clone() {
        play(&platform, "turn_end", session).await?;
    }
    let turns = postbox.emptied();
    for stand in [&whole, &lossy] {
        stand.told(&turns).await?;
        stand.processed(&platform).await?;
    }
    for (session, end) in ended {
        play(&platform, end, session).await?;
    }
    whole.told(&postbox.emptied()).await?;
    whole.processed(&platform).await?;
    // Sessions take their threads with them, which nothing tells; and nothing is found where all was heard.
    let report = whole.reconcile(&platform, &Options::default()).await?;
    assert_eq!((of(&report, "session").queued, of(&report, "session").differing), (0, 0), "{report:?}");
    let report = lossy.reconcile(&platform, &Options { all: true, ..Options::default() }).await?;
    assert_eq!(of(&report, "session").deleted, 2, "{report:?}");
    for stand in [&whole, &lossy] {
        stand.processed(&platform).await?;
    }
    assert_eq!(differences(&lossy.end().await?, &whole.end().await?), [""; 0]);

    // What was made up for is not missed again.
    let report = lossy.reconcile(&platform, &Options { all: true, ..Options::default() }).await?;
    assert!(!report.differs(), "{report:?}");
    Ok(())
}
