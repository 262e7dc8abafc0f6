//! Markers go their own way, and nothing else does.

use crate::bench::{Bench, PATIENCE, event_id, message};
use anyhow::{Context, Result};
use broker::{
    Consumer, ConsumerConfig, Control, Held, Inspector, Marker, Message, Metrics, PublisherConfig, Queue,
};
use lapin::options::BasicPublishOptions;
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use testkit::clock::real_now;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

fn marker(number: i64) -> Marker {
    // What survives the way.
    let micros = real_now().timestamp_micros();
    Marker { number, placed_at: chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default() }
}

/// Publishes a message with an extra header `holdfast-marker`, as somebody with access to the broker may.
async fn forge(bench: &Bench, value: AMQPValue, mut properties: BasicProperties, body: &[u8]) -> Result<()> {
    let connection = Connection::connect(&testkit::broker::url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let mut headers = properties.headers().clone().unwrap_or_default();
    headers.insert("holdfast-marker".into(), value);
    properties = properties.with_headers(headers);
    let options = BasicPublishOptions::default();
    channel.basic_publish("".into(), bench.queues.work().into(), options, body, properties).await?.await?;
    connection.close(200, "done".into()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_comes_after_what_was_published_before_it_and_is_held_by_nobody() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    let inspector = Inspector::connect(&bench.broker).await?;
    publisher.publish(Queue::Work, &message("event-1")).await?;
    let placed = marker(7);
    inspector.place_marker(placed).await?;
    publisher.publish(Queue::Work, &message("event-2")).await?;

    let (sink, mut deliveries) = mpsc::channel(10);
    let (markers, mut marked) = mpsc::channel(10);
    let config = ConsumerConfig::new(Queue::Work, 10);
    let consumer = Consumer::new(bench.broker.clone(), config, Metrics::default()).with_markers(markers);
    let hands = consumer.hands();
    let control = Control::running(CancellationToken::new(), CancellationToken::new());
    let close = control.close.clone();
    let running = tokio::task::JoinSet::from_iter([consumer.run(sink, control)]);

    let first = timeout(PATIENCE, deliveries.recv()).await?.context("a delivery")?;
    assert_eq!(event_id(&first)?, "event-1");
    let delivery = timeout(PATIENCE, marked.recv()).await?.context("a marker")?;
    assert_eq!(delivery.marker, placed);
    let second = timeout(PATIENCE, deliveries.recv()).await?.context("a delivery")?;
    assert_eq!(event_id(&second)?, "event-2");
    assert!(matches!(hands.held(), Held::For(_)));
    first.acker.ack().await?;
    drop(second);
    assert_eq!(hands.held(), Held::Nothing);
    delivery.acker.ack().await?;
    close.cancel();
    running.join_all().await;
    // The dropped one is back, the marker is not.
    bench.settles_at(Queue::Work, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_nobody_asked_lets_markers_go() -> Result<()> {
    let bench = Bench::new().await?;
    let inspector = Inspector::connect(&bench.broker).await?;
    for number in 1..=20 {
        inspector.place_marker(marker(number)).await?;
    }
    bench.fill(Queue::Work, 1).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 2), 2).await?;
    consumer.next().await?.acker.ack().await?;
    bench.settles_at(Queue::Work, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_markers_header_is_an_event_and_garbage_is_malformed() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    // Borrowed from a real message, for its headers.
    publisher.publish(Queue::Work, &message("event-1")).await?;
    bench.settles_at(Queue::Work, 1).await?;
    let borrowed = testkit::broker::get_all(&bench.queues.work()).await?.pop().context("the message")?;
    forge(&bench, AMQPValue::LongLongInt(7), borrowed.properties.clone(), &borrowed.body).await?;
    for garbage in [AMQPValue::LongString("7\0".into()), AMQPValue::Void, AMQPValue::LongLongInt(-7)] {
        forge(&bench, garbage, BasicProperties::default(), b"").await?;
    }
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 10), 10).await?;
    for _ in 0..2 {
        let delivery = consumer.next().await?;
        let read: &Message = delivery.message.as_ref().map_err(|malformed| anyhow::anyhow!("{malformed}"))?;
        assert_eq!(read.event_id, "event-1");
        delivery.acker.ack().await?;
    }
    for _ in 0..3 {
        let delivery = consumer.next().await?;
        assert!(delivery.message.is_err());
        delivery.acker.ack().await?;
    }
    Ok(())
}
