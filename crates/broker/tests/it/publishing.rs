//! A publish succeeds when, and only when, the broker has the message.

use crate::bench::{Bench, PATIENCE, message};
use anyhow::Result;
use broker::{Failure, Metrics, PublishError, Publisher, PublisherConfig, Queue};
use domain::FailureClass;
use testkit::eventually;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_message_is_in_the_queue_persistent_and_unchanged() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    let failure = Failure { class: FailureClass::Transient, reason: "upstream: 529".to_owned() };
    let message = broker::Message { failure: Some(failure), ..message("event-1") };
    publisher.publish(Queue::Dead, &message).await?;

    let found = testkit::broker::get_all(&bench.queues.dead()).await?;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].body, message.payload);
    assert_eq!(*found[0].properties.delivery_mode(), Some(2));
    assert_eq!(
        found[0].properties.message_id().as_ref().map(ToString::to_string),
        Some("event-1".to_owned())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_larger_than_what_may_be_in_flight_is_published_whole() -> Result<()> {
    let bench = Bench::new().await?;
    let config = PublisherConfig { max_in_flight: 50, ..PublisherConfig::default() };
    let publisher = bench.publisher(config).await?;
    let messages: Vec<_> = (0..1000).map(|number| message(&format!("event-{number}"))).collect();
    let outcomes = publisher.publish_all(Queue::Work, &messages).await;
    assert_eq!(outcomes, vec![Ok(()); 1000]);
    bench.settles_at(Queue::Work, 1000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_publish_at_once_over_one_connection() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    let mut tasks = JoinSet::new();
    for task in 0..40 {
        let publisher: Publisher = (*publisher).clone();
        tasks.spawn(async move {
            for number in 0..25 {
                publisher.publish(Queue::Work, &message(&format!("event-{task}-{number}"))).await?;
            }
            Ok::<_, PublishError>(())
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    bench.settles_at(Queue::Work, 1000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_encoded_fails_alone() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    let messages = [message("event-1"), message(&"x".repeat(200 * 1024)), message("event-2")];
    let outcomes = publisher.publish_all(Queue::Work, &messages).await;
    assert_eq!(outcomes[0], Ok(()));
    assert!(matches!(outcomes[1], Err(PublishError::Unencodable(_))), "{:?}", outcomes[1]);
    assert_eq!(outcomes[2], Ok(()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unroutable_message_is_an_error_and_the_missing_queue_comes_back() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    bench.inspector().await?.delete(Queue::Work).await?;
    let outcome = publisher.publish(Queue::Work, &message("event-1")).await;
    assert_eq!(outcome, Err(PublishError::Unroutable));
    eventually(PATIENCE, "a publish after the queue was declared anew", async || {
        publisher.publish(Queue::Work, &message("event-2")).await?;
        Ok(Some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_to_a_missing_queue_counts_as_stored_among_others_that_are() -> Result<()> {
    let bench = Bench::new().await?;
    let publisher = bench.publisher(PublisherConfig::default()).await?;
    bench.inspector().await?.delete(Queue::Work).await?;
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let publisher: Publisher = (*publisher).clone();
        let queue = if number % 10 == 0 { Queue::Work } else { Queue::Dead };
        tasks.spawn(
            async move { (queue, publisher.publish(queue, &message(&format!("event-{number}"))).await) },
        );
    }
    let mut stored = [0, 0];
    while let Some(result) = tasks.join_next().await {
        let (queue, outcome) = result?;
        stored[usize::from(queue == Queue::Dead)] += u32::from(outcome.is_ok());
    }
    // Confirmed means stored; what was not confirmed may be stored, too. The queue may be back before the last publish.
    eventually(PATIENCE, "the queues to be back", async || Ok(publisher.is_connected().then_some(())))
        .await?;
    let depths = bench.inspector().await?.depths().await?;
    assert!(depths.work.messages >= stored[0], "{depths:?}, {stored:?}");
    assert!(depths.dead.messages >= stored[1], "{depths:?}, {stored:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_counted_by_queue() -> Result<()> {
    let bench = Bench::new().await?;
    let metrics = Metrics::default();
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    let (publisher, task) = Publisher::new(bench.broker.clone(), PublisherConfig::default(), metrics);
    let outcome = publisher.publish(Queue::Dead, &message("event-1")).await;
    assert_eq!(outcome, Err(PublishError::Disconnected));
    let mut tasks = JoinSet::new();
    tasks.spawn(task.run(CancellationToken::new()));
    crate::bench::until(&mut publisher.state(), broker::LinkState::Up).await?;
    publisher.publish(Queue::Work, &message("event-2")).await?;

    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    for line in [
        "broker_published_total{queue=\"dead\",outcome=\"disconnected\"} 1",
        "broker_published_total{queue=\"work\",outcome=\"confirmed\"} 1",
        "broker_connected{direction=\"publish\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    Ok(())
}
