//! Who has a reply, and how it ends.

use super::{decide, request};
use crate::bench::{Bench, after};
use anyhow::{Context as _, Result};
use domain::{EventStatus, FailureClass};
use store::{DeadFilter, Failure, Finished, Reply, ReplyEnd};

async fn state(bench: &Bench) -> Result<String> {
    bench.texts("SELECT state FROM replies ORDER BY event").await?.pop().context("no reply")
}

/// The reply as a worker finds it.
async fn found(bench: &Bench, event: i64) -> Result<Reply> {
    let mut tx = bench.store.begin("look").await?;
    store::lock_replies(&mut tx, &[event]).await?.remove(&event).context("no reply")
}

async fn hold(bench: &Bench, event: i64, worker: &str, seconds: i64) -> Result<()> {
    let mut connection = bench.store.connection().await?;
    Ok(store::hold_replies(&mut connection, &[event], worker, after(seconds)).await?)
}

fn last_failure(event: i64) -> Failure {
    Failure {
        event,
        generation: 1,
        tries: 3,
        counts: true,
        dead: true,
        started_at: after(60),
        class: FailureClass::Transient,
        error: "no answer".to_owned(),
        request_id: None,
    }
}

#[tokio::test]
async fn a_reply_that_somebody_else_had_may_have_been_posted() -> Result<()> {
    let bench = Bench::new().await?;
    let event = decide(&bench, request(&bench).await?).await?;
    let fresh = found(&bench, event).await?;
    assert_eq!((fresh.posting_by, fresh.maybe_posted, fresh.is_replaced), (None, false, false));
    hold(&bench, event, "worker-1", 180).await?;
    let held = found(&bench, event).await?;
    assert_eq!((held.posting_by.as_deref(), held.posting_until), (Some("worker-1"), Some(after(180))));
    assert!(!held.maybe_posted);
    hold(&bench, event, "worker-2", 300).await?;
    assert!(found(&bench, event).await?.maybe_posted);
    Ok(())
}

#[tokio::test]
async fn what_is_given_back_remembers_whether_it_may_have_been_posted() -> Result<()> {
    let bench = Bench::new().await?;
    let event = decide(&bench, request(&bench).await?).await?;
    for maybe_posted in [false, true] {
        hold(&bench, event, "worker-1", 180).await?;
        let suspects: &[i64] = if maybe_posted { &[event] } else { &[] };
        store::release_replies(&mut *bench.store.connection().await?, &[event], suspects).await?;
        let back = found(&bench, event).await?;
        assert_eq!((back.posting_by, back.posting_until, back.maybe_posted), (None, None, maybe_posted));
        assert_eq!(state(&bench).await?, "queued");
    }
    Ok(())
}

#[tokio::test]
async fn a_reply_dies_with_its_event_and_lives_again_with_it() -> Result<()> {
    let bench = Bench::new().await?;
    let event = decide(&bench, request(&bench).await?).await?;
    hold(&bench, event, "worker-1", 180).await?;
    let mut tx = bench.store.begin("die").await?;
    store::record_failures(&mut tx, &[last_failure(event)], "worker-1", after(70)).await?;
    store::unschedule(&mut tx, &[event]).await?;
    tx.commit().await?;
    assert_eq!(state(&bench).await?, "failed");
    assert!(found(&bench, event).await?.maybe_posted, "the worker that had it may have posted it");

    let mut connection = bench.store.connection().await?;
    let filter = DeadFilter::default();
    let replay = store::start_replay(&mut connection, &filter, 1, after(80)).await?;
    assert_eq!(store::replay_chunk(&mut connection, replay, &filter, 10, after(80)).await?, 1);
    assert_eq!(state(&bench).await?, "queued");
    let due = store::claim_due(&mut connection, after(80), after(90), 10).await?;
    assert_eq!((due.len(), due[0].queue, due[0].generation), (1, store::Queue::Replies, 2));
    Ok(())
}

#[tokio::test]
async fn a_later_decision_takes_the_place_of_one_that_failed() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = request(&bench).await?;
    let first = decide(&bench, effect).await?;
    store::record_failures(
        &mut *bench.store.connection().await?,
        &[last_failure(first)],
        "worker-1",
        after(70),
    )
    .await?;
    let second = decide(&bench, effect).await?;
    assert!(found(&bench, first).await?.is_replaced);
    assert!(!found(&bench, second).await?.is_replaced);
    Ok(())
}

#[tokio::test]
async fn the_audit_finds_a_reply_that_stands_elsewhere_than_its_event() -> Result<()> {
    let bench = Bench::new().await?;
    let event = decide(&bench, request(&bench).await?).await?;
    let broken = async |bench: &Bench| -> Result<Vec<&'static str>> {
        let rules = store::contradictions(&mut *bench.store.connection().await?).await?;
        Ok(rules.iter().filter(|rule| rule.rows > 0).map(|rule| rule.rule).collect())
    };
    assert_eq!(broken(&bench).await?, [""; 0]);
    store::end_replies(&mut *bench.store.connection().await?, &[(event, ReplyEnd::Posted)]).await?;
    assert_eq!(broken(&bench).await?, ["replies_agree"]);
    let finished = Finished { event, status: EventStatus::Applied };
    store::finish(&mut *bench.store.connection().await?, &[finished], after(70)).await?;
    assert_eq!(broken(&bench).await?, [""; 0]);
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await?, 0, "what is finished is not published");
    bench.sql("UPDATE events SET status = 'pending', finished_at = NULL WHERE source = 'reply'").await?;
    bench.sql("UPDATE replies SET state = 'queued'").await?;
    bench.sql(format!("INSERT INTO outbox (event, queue, generation, tries, due_at) VALUES ({event}, 'work', 1, 0, now())")).await?;
    assert_eq!(broken(&bench).await?, ["outbox_fits_source"]);
    Ok(())
}
