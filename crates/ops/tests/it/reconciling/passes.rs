//! Passes: several at once, interrupted ones, dry ones, and what they leave alone.

use super::postbox::Postbox;
use super::stand::Stand;
use super::{born, of, play};
use crate::bench::Platform;
use anyhow::Result;
use chrono::TimeDelta;
use ops::reconcile::Options;
use reqwest::Method;
use serde_json::json;

/// A platform with so many sessions that have worked, of which nothing was told.
async fn unheard(sessions: usize) -> Result<Platform> {
    let platform = Platform::start().await?;
    for n in 0..sessions {
        let session = format!("sesn_{n:03}");
        born(&platform, &session).await?;
        play(&platform, "turn_end", &session).await?;
    }
    Ok(platform)
}

const EVENTS: &str = "SELECT count(*) FROM events WHERE source = 'reconcile'";

#[tokio::test(flavor = "multi_thread")]
async fn several_reconcilers_at_once_make_one_event_of_each_thing() -> Result<()> {
    let (platform, stand) = (unheard(5).await?, Stand::new().await?);
    let options = Options::default();
    let one = stand.reconcile(&platform, &options);
    let (one, other, third) =
        tokio::join!(one, stand.reconcile(&platform, &options), stand.reconcile(&platform, &options));
    let queued = [one?, other?, third?].iter().map(|report| of(report, "session").queued).sum::<u64>();
    // A run and a rest each.
    assert_eq!((queued, stand.bench.number(EVENTS).await?), (10, 10));
    let ledger = stand.bench.ledger().await?;
    assert!(ledger.balances() && ledger.pending == 10, "{ledger:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_at_a_time_has_the_right_to_reconcile() -> Result<()> {
    let (platform, stand) = (unheard(0).await?, Stand::new().await?);
    let (one, other) = (stand.reconciler(&platform)?, stand.reconciler(&platform)?);
    let right = one.elect().await?.expect("nobody else has it");
    assert!(other.elect().await?.is_none());
    drop(right);
    testkit::eventually(crate::bench::PATIENCE, "the right is free", async || {
        Ok(other.elect().await?.map(drop))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_before_it_was_published_is_published_by_the_relay() -> Result<()> {
    let (platform, stand) = (unheard(1).await?, Stand::new().await?);
    stand.reconcile(&platform, &Options::default()).await?;
    // Whoever found it may be dead by now: the events and the schedule of their publish are one statement.
    stand.bench.until_outbox(2).await?;
    stand.processed(&platform).await?;
    assert_eq!(stand.bench.ledger().await?.pending, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_was_interrupted_goes_on_where_it_was() -> Result<()> {
    let (platform, stand) = (unheard(101).await?, Stand::new().await?);
    // The second page is refused: by then the first one is compared.
    let fault = json!({ "path": "/v1/sessions$", "query": "page=", "status": 529 });
    platform.control(Method::POST, "/faults", &fault).await?;
    stand.reconcile(&platform, &Options::default()).await.expect_err("the API does not answer");
    assert_eq!(stand.bench.number("SELECT compared FROM reconcile_passes").await?, 100);
    platform.heals().await?;
    let report = stand.reconcile(&platform, &Options::default()).await?;
    assert_eq!(of(&report, "session").compared, 1, "{report:?}");
    let all = "SELECT compared FROM reconcile_passes WHERE kind = 'session' AND ended_at IS NOT NULL";
    assert_eq!(stand.bench.number(all).await?, 101);
    assert_eq!(stand.bench.number(EVENTS).await?, 202);
    assert_eq!(stand.bench.number("SELECT count(*) FROM reconcile_seen").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_has_expired_begins_the_list_anew() -> Result<()> {
    let (platform, stand) = (unheard(101).await?, Stand::new().await?);
    let fault = json!({ "path": "/v1/sessions$", "query": "page=", "status": 400, "times": 1 });
    platform.control(Method::POST, "/faults", &fault).await?;
    let report = stand.reconcile(&platform, &Options::default()).await?;
    assert_eq!(of(&report, "session").compared, 101, "{report:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_differs_and_writes_nothing() -> Result<()> {
    let (platform, stand) = (unheard(3).await?, Stand::new().await?);
    let dry = Options { dry_run: true, ..Options::default() };
    let report = stand.reconcile(&platform, &dry).await?;
    assert!(report.differs());
    assert_eq!((of(&report, "session").missing, of(&report, "session").queued), (3, 6), "{report:?}");
    assert_eq!(stand.bench.number(EVENTS).await?, 0);
    assert_eq!(stand.bench.number("SELECT count(*) FROM reconcile_passes").await?, 0);
    stand.reconcile(&platform, &Options::default()).await?;
    stand.processed(&platform).await?;
    assert!(!stand.reconcile(&platform, &dry).await?.differs());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_finished_and_what_may_still_come_is_left_alone() -> Result<()> {
    let platform = Platform::start().await?;
    let (postbox, stand) = (Postbox::of(&platform).await?, Stand::new().await?);
    born(&platform, "sesn_1").await?;
    play(&platform, "run_started", "sesn_1").await?;
    stand.told(&postbox.emptied()).await?;
    play(&platform, "turn_end", "sesn_1").await?;
    let report = stand.reconcile(&platform, &Options::default()).await?;
    assert_eq!((of(&report, "session").unsettled, of(&report, "session").queued), (1, 0), "{report:?}");
    stand.processed(&platform).await?;
    let patient = Options { grace: TimeDelta::hours(1), all: true, ..Options::default() };
    assert_eq!(of(&stand.reconcile(&platform, &patient).await?, "session").queued, 0);
    let report = stand.reconcile(&platform, &Options::default()).await?;
    assert_eq!(of(&report, "session").queued, 1, "{report:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_went_before_anybody_could_look_is_known_to_be_deleted() -> Result<()> {
    let platform = Platform::start().await?;
    let (postbox, stand) = (Postbox::of(&platform).await?, Stand::new().await?);
    for session in ["sesn_stays", "sesn_goes"] {
        born(&platform, session).await?;
        play(&platform, "turn_end", session).await?;
    }
    let told = postbox.emptied();
    play(&platform, "deleted", "sesn_goes").await?;
    stand.told(&told).await?;
    // Its events find nothing, three times: nobody has told that it was deleted.
    stand.processed(&platform).await?;
    assert_eq!(stand.bench.ledger().await?.dead, 2);
    let report = stand.reconcile(&platform, &Options::default()).await?;
    assert_eq!(of(&report, "session").deleted, 1, "{report:?}");
    stand.processed(&platform).await?;
    let status = stand.bench.texts("SELECT status FROM resources WHERE resource_id = 'sesn_goes'").await?;
    assert_eq!(status, ["deleted"]);
    let report = stand.reconcile(&platform, &Options { all: true, ..Options::default() }).await?;
    assert!(!report.differs(), "{report:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_over_before_the_first_event_was_not_missed() -> Result<()> {
    let platform = Platform::start().await?;
    let (postbox, stand) = (Postbox::of(&platform).await?, Stand::new().await?);
    let long_ago = "2025-01-01T00:00:00Z";
    let old = json!({ "status": "terminated", "created_at": long_ago, "updated_at": long_ago });
    platform.control(Method::PUT, "/sessions/sesn_old", &old).await?;
    born(&platform, "sesn_new").await?;
    play(&platform, "turn_end", "sesn_new").await?;
    stand.told(&postbox.emptied()).await?;
    stand.processed(&platform).await?;
    assert!(!stand.reconcile(&platform, &Options::default()).await?.differs());
    let report = stand.reconcile(&platform, &Options { all: true, ..Options::default() }).await?;
    assert_eq!(of(&report, "session").missing, 1, "{report:?}");
    Ok(())
}
