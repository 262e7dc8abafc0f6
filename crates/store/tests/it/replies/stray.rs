//! Replies that have a message in the queue, or lost it.

use super::{decide, request};
use crate::bench::{Bench, after};
use anyhow::Result;
use domain::EventStatus;
use store::{Finished, StrayReply};

async fn stray(bench: &Bench, seconds: i64) -> Result<Vec<StrayReply>> {
    Ok(store::stray_replies(&mut *bench.store.connection().await?, after(seconds), 10).await?)
}

/// The outbox row goes, as when the broker has confirmed the message.
async fn published(bench: &Bench) -> Result<()> {
    bench.sql("DELETE FROM outbox").await
}

#[tokio::test]
async fn what_is_to_be_published_or_in_somebodys_hands_or_over_is_not_stray() -> Result<()> {
    let bench = Bench::new().await?;
    let event = decide(&bench, request(&bench).await?).await?;
    assert_eq!(stray(&bench, 60).await?, []);
    published(&bench).await?;
    let [lost] = &stray(&bench, 60).await?[..] else { anyhow::bail!("not stray") };
    assert_eq!(
        (lost.event, lost.event_id.as_str(), lost.generation, lost.tries),
        (event, "reply_sevt_1_1", 1, 0)
    );

    store::hold_replies(&mut *bench.store.connection().await?, &[event], "worker-1", after(100)).await?;
    assert_eq!(stray(&bench, 99).await?, []);
    assert_eq!(stray(&bench, 100).await?.len(), 1, "its worker is dead");
    let finished = Finished { event, status: EventStatus::Applied };
    store::finish(&mut *bench.store.connection().await?, &[finished], after(70)).await?;
    assert_eq!(stray(&bench, 100).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_stray_reply_is_queued_again_once_and_only_in_the_try_it_was_seen_in() -> Result<()> {
    let bench = Bench::new().await?;
    let event = decide(&bench, request(&bench).await?).await?;
    published(&bench).await?;
    let lost = stray(&bench, 60).await?;
    let mut connection = bench.store.connection().await?;
    let earlier: Vec<StrayReply> =
        lost.iter().cloned().map(|lost| StrayReply { generation: 7, ..lost }).collect();
    assert_eq!(store::requeue_replies(&mut connection, &earlier, after(61)).await?, [0; 0]);
    assert_eq!(store::requeue_replies(&mut connection, &lost, after(61)).await?, [event]);
    assert_eq!(store::requeue_replies(&mut connection, &lost, after(61)).await?, [0; 0]);
    let due = store::claim_due(&mut connection, after(61), after(90), 10).await?;
    assert_eq!((due.len(), due[0].queue), (1, store::Queue::Replies));
    Ok(())
}

#[tokio::test]
async fn audits_of_the_queue_work_leave_replies_alone() -> Result<()> {
    let bench = Bench::new().await?;
    decide(&bench, request(&bench).await?).await?;
    bench.sql("UPDATE events SET status = 'applied', finished_at = now() WHERE source = 'webhook'").await?;
    bench.sql("DELETE FROM bundles").await?;
    published(&bench).await?;
    let mut connection = bench.store.connection().await?;
    assert!(!store::any_unpublished_pending(&mut connection).await?);
    let round = store::place_round(&mut connection, after(70), 100, false).await?.number;
    assert!(!store::any_suspect(&mut connection, round).await?);
    let chunk = store::requeue_chunk(&mut connection, round, after(71), 10).await?;
    assert_eq!((chunk.looked_at, chunk.requeued), (0, 0));
    Ok(())
}

#[tokio::test]
async fn open_replies_are_counted_from_the_oldest_on() -> Result<()> {
    let bench = Bench::new().await?;
    let none = store::reply_figures(&mut *bench.store.connection().await?).await?;
    assert_eq!((none.open, none.oldest_at), (0, None));
    decide(&bench, request(&bench).await?).await?;
    let one = store::reply_figures(&mut *bench.store.connection().await?).await?;
    assert_eq!((one.open, one.oldest_at), (1, Some(after(60))));
    Ok(())
}
