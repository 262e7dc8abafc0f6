//! Ending in order.

use crate::bench::{Bench, PATIENCE, RunningConsumer, message};
use anyhow::{Context, Result};
use broker::{ConsumerConfig, PublishError, PublisherConfig, Queue};
use tokio::time::timeout;

async fn closes(consumer: &mut RunningConsumer) -> Result<()> {
    consumer.close.cancel();
    consumer.ended().await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_draining_nothing_is_handed_out_and_acks_still_work() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 5).await?;
    // The first delivery was looked at alone and comes on top of the prefetch. With a sink for one, the second is held before
    // it and the others wait with the client library.
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 3), 1).await?;
    bench.settles_at(Queue::Work, 1).await?;
    consumer.drain.cancel();
    bench.settles_at(Queue::Work, 4).await?;
    consumer.next().await?.acker.ack().await?;
    bench.settles_at(Queue::Work, 4).await?;
    assert!(consumer.deliveries.is_empty());
    closes(&mut consumer).await?;
    bench.settles_at(Queue::Work, 4).await
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_gives_back_what_was_not_acknowledged() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 3).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 3), 3).await?;
    let _held = consumer.take(3).await?;
    bench.settles_at(Queue::Work, 0).await?;
    closes(&mut consumer).await?;
    bench.settles_at(Queue::Work, 3).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_receiver_ends_the_consumption_like_a_drain() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 5).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 3), 1).await?;
    bench.settles_at(Queue::Work, 1).await?;
    consumer.deliveries.close();
    bench.settles_at(Queue::Work, 4).await?;
    consumer.next().await?.acker.ack().await?;
    bench.settles_at(Queue::Work, 4).await?;
    closes(&mut consumer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_cannot_connect_stops_when_told_to() -> Result<()> {
    let bench = Bench::new().await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 1), 1).await?;
    bench.proxy.cut();
    crate::bench::until(&mut consumer.state, broker::LinkState::Down).await?;
    closes(&mut consumer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_publisher_refuses_at_once() -> Result<()> {
    let bench = Bench::new().await?;
    let mut publisher = bench.publisher(PublisherConfig::default()).await?;
    publisher.stop.cancel();
    timeout(PATIENCE, publisher.tasks.join_next())
        .await
        .context("the publisher still runs")?
        .context("no task")??;
    assert!(!publisher.is_connected());
    let outcome = publisher.publish(Queue::Work, &message("event-1")).await;
    assert_eq!(outcome, Err(PublishError::Disconnected));
    Ok(())
}
