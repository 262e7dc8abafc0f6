//! Several events in one message.

use crate::bench::{Bench, RunningConsumer, event_id, message};
use anyhow::{Context, Result};
use broker::{ConsumerConfig, Delivery, Error, Message, PublishError, PublisherConfig, Queue, Verdict};
use lapin::options::{BasicGetOptions, BasicRejectOptions};
use lapin::{Connection, ConnectionProperties};

fn messages(count: usize) -> Vec<Message> {
    (0..count).map(|number| message(&format!("event-{number}"))).collect()
}

async fn publish(bench: &Bench, queue: Queue, messages: &[Message]) -> Result<()> {
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    for outcome in publisher.publish_bundled(queue, messages).await {
        outcome?;
    }
    Ok(())
}

/// One message at a time: the next one comes when all events of the last one are settled.
async fn one_by_one(bench: &Bench) -> Result<RunningConsumer> {
    bench.consumer(ConsumerConfig::new(Queue::Work, 1), 200).await
}

fn ids(deliveries: &[Delivery]) -> Result<Vec<String>> {
    deliveries.iter().map(event_id).collect()
}

async fn ack_all(deliveries: impl IntoIterator<Item = Delivery>) -> Result<()> {
    for delivery in deliveries {
        delivery.acker.ack().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_events_arrive_one_by_one_as_they_were_and_their_acks_end_four_messages() -> Result<()> {
    let bench = Bench::new().await?;
    let all = messages(100);
    publish(&bench, Queue::Work, &all).await?;
    bench.settles_at(Queue::Work, 4).await?;
    let mut consumer = one_by_one(&bench).await?;
    let mut arrived = Vec::new();
    for part in [32, 32, 32, 4] {
        let mut bundle = consumer.take(part).await?;
        assert!(consumer.deliveries.is_empty(), "the prefetch counts messages");
        assert!(bundle.iter().all(|delivery| delivery.acker.is_part() && !delivery.redelivered));
        for delivery in &bundle {
            let message = delivery.message.clone()?;
            assert_eq!(delivery.payload, message.payload);
            arrived.push(message);
        }
        // In whatever order.
        bundle.reverse();
        ack_all(bundle).await?;
    }
    assert_eq!(arrived, all);
    consumer.close.cancel();
    consumer.ended().await?;
    bench.settles_at(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_that_is_not_settled_brings_all_of_its_message_back() -> Result<()> {
    let bench = Bench::new().await?;
    publish(&bench, Queue::Work, &messages(40)).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 2), 40).await?;
    let mut taken = consumer.take(40).await?;
    drop(taken.remove(7));
    ack_all(taken).await?;
    consumer.close.cancel();
    consumer.ended().await?;
    bench.settles_at(Queue::Work, 1).await?;
    let mut consumer = one_by_one(&bench).await?;
    let again = consumer.take(32).await?;
    assert_eq!(ids(&again)?, messages(32).into_iter().map(|message| message.event_id).collect::<Vec<_>>());
    assert!(again.iter().all(|delivery| delivery.redelivered && delivery.hints.delivery_count == 1));
    ack_all(again).await?;
    consumer.close.cancel();
    consumer.ended().await?;
    bench.settles_at(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_that_is_given_back_brings_all_of_its_message_back_when_the_last_is_settled() -> Result<()>
{
    let bench = Bench::new().await?;
    publish(&bench, Queue::Work, &messages(10)).await?;
    let mut consumer = one_by_one(&bench).await?;
    let mut taken = consumer.take(10).await?;
    let last = taken.remove(9);
    taken.remove(2).acker.requeue().await?;
    ack_all(taken).await?;
    bench.settles_at(Queue::Work, 0).await?;
    assert!(consumer.deliveries.is_empty(), "one is still being worked on");
    last.acker.ack().await?;
    let again = consumer.take(10).await?;
    assert!(again.iter().all(|delivery| delivery.redelivered));
    ack_all(again).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_cannot_take_the_others_to_the_dead() -> Result<()> {
    let bench = Bench::new().await?;
    publish(&bench, Queue::Work, &messages(3)).await?;
    let mut consumer = one_by_one(&bench).await?;
    let mut taken = consumer.take(3).await?;
    let refused = taken.remove(0).acker.reject_to_dead().await;
    assert!(matches!(refused, Err(Error::PartOfBundle)), "{refused:?}");
    ack_all(taken).await?;
    consumer.close.cancel();
    consumer.ended().await?;
    bench.settles_at(Queue::Work, 1).await?;
    bench.settles_at(Queue::Dead, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_one_message_share_its_outcome_and_no_other() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    // Too large for a bundle, and with properties too large for any message.
    let mut all = messages(35);
    all.push(Message {
        payload: vec![0; 200 * 1024].into(),
        content_type: Some("x".repeat(200 * 1024)),
        ..message("event-large")
    });
    all.extend(messages(2));
    let outcomes = publisher.publish_bundled(Queue::Work, &all).await;
    assert_eq!(outcomes.len(), 38);
    let failed: Vec<usize> = (0..38).filter(|n| outcomes[*n].is_err()).collect();
    assert_eq!(failed, [35], "{:?}", outcomes[35]);
    bench.settles_at(Queue::Work, 3).await?;

    bench.inspector().await?.delete(Queue::Work).await?;
    let outcomes = publisher.publish_bundled(Queue::Work, &messages(40)).await;
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    let first = format!("{:?}", outcomes[0]);
    assert!(outcomes[..32].iter().all(|outcome| format!("{outcome:?}") == first), "{outcomes:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_no_event_of_a_bundle_counts_as_stored() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    bench.proxy.cut();
    publisher.until(broker::LinkState::Down).await?;
    let outcomes = publisher.publish_bundled(Queue::Work, &messages(33)).await;
    assert_eq!(outcomes.len(), 33);
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Err(PublishError::Disconnected))),
        "{outcomes:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_shows_the_events_of_a_message_that_the_broker_dead_lettered_and_keeps_it_whole() -> Result<()>
{
    let bench = Bench::new().await?;
    publish(&bench, Queue::Work, &messages(40)).await?;
    let connection = Connection::connect(&testkit::broker::url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for _ in 0..2 {
        let got = channel.basic_get(bench.queues.work().into(), BasicGetOptions::default()).await?;
        got.context("no message")?.delivery.acker.reject(BasicRejectOptions { requeue: false }).await?;
    }
    bench.settles_at(Queue::Dead, 2).await?;
    let inspector = bench.inspector().await?;
    // Twice: the copies that the first sweep makes are read as well as the originals.
    for _ in 0..2 {
        let mut sweep = inspector.sweep_dead(u32::MAX, 10).await?;
        let batch = sweep.next_batch().await?.context("no letters")?;
        let mut bundled = Vec::new();
        for letter in &batch {
            assert!(letter.message.is_err() && !letter.is_marker);
            assert_eq!(letter.hints.deaths[0].reason, "rejected");
            bundled.push(letter.bundled.clone());
        }
        assert_eq!(bundled.iter().map(Vec::len).collect::<Vec<_>>(), [32, 8]);
        assert_eq!(bundled.concat(), messages(40));
        sweep.settle(batch.into_iter().map(|letter| (letter, Verdict::Keep))).await?;
        sweep.finish().await?;
    }
    bench.settles_at(Queue::Dead, 2).await
}
