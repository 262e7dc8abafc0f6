//! Connections that break, stall and come back.

use crate::bench::{Bench, PATIENCE, event_id, message, until};
use anyhow::{Result, ensure};
use broker::{ConsumerConfig, LinkState, PublishError, PublisherConfig, Queue};
use std::time::{Duration, Instant};
use testkit::eventually;

/// Impatient, for tests in which the broker never answers.
fn impatient() -> PublisherConfig {
    PublisherConfig { confirm_timeout: Duration::from_millis(500), ..PublisherConfig::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_while_disconnected_fails_at_once_and_works_after_the_outage() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    bench.proxy.cut();
    publisher.until(LinkState::Down).await?;
    assert!(!publisher.is_connected());
    let began = Instant::now();
    for _ in 0..100 {
        let outcome = publisher.publish(Queue::Work, &message("event-1")).await;
        assert_eq!(outcome, Err(PublishError::Disconnected));
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());

    bench.proxy.heal();
    publisher.until(LinkState::Up).await?;
    publisher.publish(Queue::Work, &message("event-2")).await?;
    bench.settles_at(Queue::Work, 1).await
}

/// `connection.blocked` with the reason "disk", and `connection.unblocked`, as RabbitMQ sends them.
const BLOCKED: &[u8] = b"\x01\0\0\0\0\0\x09\0\x0a\0\x3c\x04disk\xce";
const UNBLOCKED: &[u8] = b"\x01\0\0\0\0\0\x04\0\x0a\0\x3d\xce";

#[tokio::test(flavor = "multi_thread")]
async fn while_rabbitmq_blocks_publishers_nothing_is_handed_to_it() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    assert!(publisher.is_connected());
    bench.proxy.inject(BLOCKED);
    eventually(PATIENCE, "a publisher that knows", async || Ok((!publisher.is_connected()).then_some(())))
        .await?;
    assert_eq!(*publisher.state().borrow(), LinkState::Up, "the connection itself is fine");
    let began = Instant::now();
    let outcome = publisher.publish(Queue::Work, &message("event-1")).await;
    assert_eq!(outcome, Err(PublishError::Blocked));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    bench.proxy.inject(UNBLOCKED);
    eventually(PATIENCE, "a publisher that goes on", async || Ok(publisher.is_connected().then_some(())))
        .await?;
    publisher.publish(Queue::Work, &message("event-2")).await?;
    bench.settles_at(Queue::Work, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_reconnect_publishes_are_still_confirmed_and_unroutable_ones_still_detected() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    bench.proxy.drop_connections();
    publisher.until(LinkState::Down).await?;
    publisher.until(LinkState::Up).await?;
    publisher.publish(Queue::Work, &message("event-1")).await?;
    bench.inspector().await?.delete(Queue::Work).await?;
    let outcome = publisher.publish(Queue::Work, &message("event-2")).await;
    assert_eq!(outcome, Err(PublishError::Unroutable));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_in_flight_when_the_connection_breaks_are_unconfirmed_and_never_hang() -> Result<()> {
    let bench = Bench::new().await?;
    let config = PublisherConfig { confirm_timeout: PATIENCE, ..PublisherConfig::default() };
    let publisher = bench.publisher(config).await?;
    bench.proxy.stall();
    let messages: Vec<_> = (0..100).map(|number| message(&format!("event-{number}"))).collect();
    let began = Instant::now();
    // The first half is polled first and hands all messages over before the second breaks the connection.
    let breaking = async { bench.proxy.drop_connections() };
    let (outcomes, ()) = tokio::join!(publisher.publish_all(Queue::Work, &messages), breaking);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    for outcome in outcomes {
        assert!(
            matches!(outcome, Err(PublishError::Unconfirmed | PublishError::Disconnected)),
            "{outcome:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_costs_one_deadline_and_is_then_noticed() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(impatient()).await?;
    bench.proxy.stall();
    let began = Instant::now();
    let outcome = publisher.publish(Queue::Work, &message("event-1")).await;
    assert_eq!(outcome, Err(PublishError::Unconfirmed));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    publisher.until(LinkState::Down).await?;
    bench.proxy.resume();
    publisher.until(LinkState::Up).await?;
    publisher.publish(Queue::Work, &message("event-2")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_confirms_is_bounded() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig { max_in_flight: 3, ..impatient() }).await?;
    bench.proxy.stall();
    let messages: Vec<_> = (0..5).map(|number| message(&format!("event-{number}"))).collect();
    let began = Instant::now();
    let outcomes = publisher.publish_all(Queue::Work, &messages).await;
    let overloaded = outcomes.iter().filter(|outcome| **outcome == Err(PublishError::Overloaded)).count();
    assert_eq!(overloaded, 2, "{outcomes:?}");
    assert!(began.elapsed() < Duration::from_secs(3), "the rest fails together: {:?}", began.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_without_any_confirm_rebuilds_its_connection_although_heartbeats_flow() -> Result<()> {
    let mut bench = Bench::new().await?;
    // Heartbeats would take two minutes to notice, so only the stall check can.
    bench.broker.heartbeat = Duration::from_mins(1);
    let config = PublisherConfig { stall_timeout: Duration::from_secs(1), ..impatient() };
    let publisher = bench.publisher(config).await?;
    bench.proxy.stall();
    let outcome = publisher.publish(Queue::Work, &message("event-1")).await;
    assert_eq!(outcome, Err(PublishError::Unconfirmed));
    publisher.until(LinkState::Down).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prefetch_holds_before_and_after_a_reconnect() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 50).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 5), 100).await?;
    // The very first one, which was looked at alone, comes on top.
    let before = consumer.take(1 + 5).await?;
    bench.settles_at(Queue::Work, 44).await?;
    assert!(consumer.deliveries.is_empty());

    for round in 1..=3 {
        bench.proxy.drop_connections();
        until(&mut consumer.state, LinkState::Down).await?;
        let again = consumer.take(5).await?;
        assert!(again.iter().all(|delivery| delivery.redelivered), "round {round}");
        bench.settles_at(Queue::Work, 45).await?;
        assert!(consumer.deliveries.is_empty(), "round {round}");
    }
    for delivery in before {
        let error = delivery.acker.ack().await.unwrap_err();
        assert!(matches!(error, broker::Error::DeliveryExpired), "{error:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ack_of_an_earlier_session_settles_nothing_in_the_next_one() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 2).await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 2), 10).await?;
    let old = consumer.take(2).await?;
    bench.proxy.drop_connections();
    until(&mut consumer.state, LinkState::Down).await?;
    let new = consumer.take(2).await?;
    for delivery in old {
        delivery.acker.ack().await.unwrap_err();
    }
    // Both come back once more: the tags of the old session, equal to those of the new one, acknowledged nothing.
    drop(new);
    bench.proxy.drop_connections();
    consumer.take(2).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_comes_back_after_its_queue_was_deleted() -> Result<()> {
    let bench = Bench::new().await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 5), 10).await?;
    bench.inspector().await?.delete(Queue::Work).await?;
    until(&mut consumer.state, LinkState::Down).await?;
    until(&mut consumer.state, LinkState::Up).await?;
    bench.fill(Queue::Work, 1).await?;
    assert_eq!(event_id(&consumer.next().await?)?, "event-0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heartbeat_notices_a_stalled_consumer() -> Result<()> {
    let bench = Bench::new().await?;
    let mut consumer = bench.consumer(ConsumerConfig::new(Queue::Work, 5), 10).await?;
    bench.proxy.stall();
    until(&mut consumer.state, LinkState::Down).await?;
    bench.proxy.resume();
    until(&mut consumer.state, LinkState::Up).await?;
    bench.fill(Queue::Work, 1).await?;
    consumer.next().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_progress_check_notices_a_stalled_consumer_before_the_heartbeat() -> Result<()> {
    let mut bench = Bench::new().await?;
    bench.broker.heartbeat = Duration::from_mins(1);
    let mut config = ConsumerConfig::new(Queue::Work, 5);
    config.progress_check = Duration::from_millis(300);
    config.answer_timeout = Duration::from_millis(500);
    let mut consumer = bench.consumer(config, 10).await?;
    bench.proxy.stall();
    until(&mut consumer.state, LinkState::Down).await?;
    bench.proxy.resume();
    bench.fill(Queue::Work, 1).await?;
    consumer.next().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_with_nothing_to_do_is_left_alone_by_the_progress_check() -> Result<()> {
    let bench = Bench::new().await?;
    bench.fill(Queue::Work, 3).await?;
    let mut config = ConsumerConfig::new(Queue::Work, 2);
    config.progress_check = Duration::from_millis(50);
    let mut consumer = bench.consumer(config, 1).await?;
    // A full sink, a full prefetch, then an empty queue: a dozen checks each.
    let looks_quiet = async |consumer: &crate::bench::RunningConsumer| {
        let end = Instant::now() + Duration::from_millis(600);
        eventually(PATIENCE, "some checks to pass", async || {
            ensure!(!consumer.state.has_changed()?, "the session was rebuilt");
            Ok((Instant::now() > end).then_some(()))
        })
        .await
    };
    consumer.state.mark_unchanged();
    looks_quiet(&consumer).await?;
    let held = consumer.take(2).await?;
    looks_quiet(&consumer).await?;
    for delivery in held {
        delivery.acker.ack().await?;
    }
    consumer.next().await?.acker.ack().await?;
    looks_quiet(&consumer).await?;
    assert!(!consumer.state.has_changed()?);
    Ok(())
}
