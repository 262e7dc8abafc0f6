//! Queues of tests.

use anyhow::Result;
use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use std::time::Duration;
use testkit::{QueuePrefix, broker, eventually};

#[tokio::test]
async fn messages_stay_when_they_are_looked_at_and_go_with_the_prefix() -> Result<()> {
    let prefix = QueuePrefix::new();
    let queue = prefix.work();
    let connection = Connection::connect(&broker::url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), FieldTable::default())
        .await?;
    for body in [b"one", b"two"] {
        channel
            .basic_publish(
                "".into(),
                queue.as_str().into(),
                BasicPublishOptions::default(),
                body,
                BasicProperties::default(),
            )
            .await?;
    }

    for look in ["first", "second"] {
        let what = format!("two messages at the {look} look");
        let messages = eventually(Duration::from_secs(10), &what, async || {
            anyhow::ensure!(broker::depth(&queue).await? == 2);
            Ok(Some(broker::get_all(&queue).await?))
        })
        .await?;
        let bodies: Vec<&[u8]> = messages.iter().map(|message| message.body.as_slice()).collect();
        assert_eq!(bodies, [b"one", b"two"]);
    }

    drop(prefix);
    let error = broker::depth(&queue).await.expect_err("the queue is gone");
    assert!(format!("{error:#}").contains("NOT_FOUND"), "{error:#}");
    Ok(())
}
