//! What a consumer hands out, and what happens to it.

use crate::bench::{Bench, PATIENCE, event_id, message};
use anyhow::{Result, ensure};
use broker::{ConsumerConfig, Flow, PublisherConfig, Queue};
use lapin::options::{BasicGetOptions, BasicPublishOptions, BasicRejectOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use testkit::eventually;

/// A channel of the bare client library, for what our own types would never do.
async fn bare_channel() -> Result<(Connection, Channel)> {
    let connection = Connection::connect(&testkit::broker::url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_as_it_was_published_and_an_ack_ends_it() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    publisher.publish(Queue::Work, &message("event-1")).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 5), 5).await?;
    let delivery = consumer.next().await?;
    assert_eq!(delivery.message, Ok(message("event-1")));
    assert!(!delivery.redelivered);
    delivery.acker.ack().await?;
    consumer.close.cancel();
    consumer.ended().await?;
    bench.settles_at(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requeued_message_comes_again_with_a_hint_how_often() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 1).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 1), 1).await?;
    let first = consumer.next().await?;
    assert_eq!(first.hints.delivery_count, 0);
    first.acker.requeue().await?;
    let second = consumer.next().await?;
    assert!(second.redelivered);
    second.acker.ack().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_message_is_handed_out_as_malformed_and_a_reject_takes_it_to_the_dead() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 0).await?;
    let (_connection, channel) = bare_channel().await?;
    channel
        .basic_publish(
            "".into(),
            bench.queues.work().into(),
            BasicPublishOptions::default(),
            b"not ours",
            BasicProperties::default(),
        )
        .await?
        .await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 5), 5).await?;
    let delivery = consumer.next().await?;
    assert!(delivery.message.is_err());
    assert_eq!(&delivery.payload[..], b"not ours");
    delivery.acker.reject_to_dead().await?;
    bench.settles_at(Queue::Dead, 1).await?;
    bench.settles_at(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_delivery_limit_takes_a_message_that_nobody_can_finish_to_the_dead() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 1).await?;
    let (_connection, channel) = bare_channel().await?;
    let mut deliveries = 0;
    eventually(PATIENCE, "the message to leave the work queue", async || {
        let got = channel.basic_get(bench.queues.work().into(), BasicGetOptions::default()).await?;
        if let Some(got) = got {
            deliveries += 1;
            // A reject counts toward the limit in all versions of the broker, and so does a crash.
            got.delivery.acker.reject(BasicRejectOptions { requeue: true }).await?;
        }
        Ok((testkit::broker::depth(&bench.queues.dead()).await? == 1).then_some(()))
    })
    .await?;
    assert_eq!(deliveries, 21, "twenty redeliveries are allowed");
    bench.settles_at(Queue::Work, 0).await
}

/// Takes all messages and breaks the connection, as a worker does that dies.
async fn die_with(bench: &Bench, messages: u32) -> Result<()> {
    let (connection, channel) = bare_channel().await?;
    for _ in 0..messages {
        let got = channel.basic_get(bench.queues.work().into(), BasicGetOptions::default()).await?;
        ensure!(got.is_some(), "the queue is empty");
    }
    connection.close(200, "".into()).await?;
    eventually(PATIENCE, "everything to be given back", async || {
        Ok((testkit::broker::depth(&bench.queues.work()).await? == messages).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_twice_is_handed_to_a_new_consumer_one_at_a_time_until_something_fresh_comes()
-> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 3).await?;
    for _ in 0..2 {
        die_with(&bench, 3).await?;
    }
    bench.fill(Queue::Work, 4).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 10), 10).await?;
    for left in [6, 5, 4] {
        let suspect = consumer.next().await?;
        assert_eq!(suspect.hints.delivery_count, 2);
        bench.settles_at(Queue::Work, left).await?;
        suspect.acker.ack().await?;
    }
    let mut fresh = Vec::new();
    for _ in 0..4 {
        fresh.push(consumer.next().await?);
    }
    for delivery in fresh {
        assert_eq!(delivery.hints.delivery_count, 0);
        delivery.acker.ack().await?;
    }
    bench.settles_at(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_once_is_no_reason_for_care() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 3).await?;
    die_with(&bench, 3).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 10), 10).await?;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(consumer.next().await?);
    }
    assert!(held.iter().all(|delivery| delivery.redelivered));
    bench.settles_at(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_deliveries_but_not_acks_and_a_resume_goes_on() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 10).await?;
    // One delivery in the sink, one held before it, three with the client library: all but the taken ones go back.
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 5), 1).await?;
    let taken = consumer.next().await?;
    consumer.flow.send_replace(Flow::Paused);
    // The consumption is ended before anything is given back, so the sink gets nothing more from then on.
    eventually(PATIENCE, "deliveries to be given back", async || {
        let depth = testkit::broker::depth(&bench.queues.work()).await?;
        ensure!(depth > 5, "{depth} are ready");
        Ok(Some(()))
    })
    .await?;
    // What the sink took before the pause is the caller's.
    let mut in_hand = vec![taken];
    while let Ok(delivery) = consumer.deliveries.try_recv() {
        in_hand.push(delivery);
    }
    let held = u32::try_from(in_hand.len())?;
    bench.settles_at(Queue::Work, 10 - held).await?;
    for delivery in in_hand {
        delivery.acker.ack().await?;
    }
    bench.settles_at(Queue::Work, 10 - held).await?;
    assert!(consumer.deliveries.is_empty());

    consumer.flow.send_replace(Flow::Running);
    let mut seen = Vec::new();
    for _ in 0..10 - held {
        let delivery = consumer.next().await?;
        seen.push(event_id(&delivery)?);
        delivery.acker.ack().await?;
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 10 - held as usize, "each of the others came once: {seen:?}");
    bench.settles_at(Queue::Work, 0).await
}
