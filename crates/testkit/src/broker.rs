//! Queues of their own for every test, on the broker that `AMQP_URL` names.

use crate::cleanup::block_on_own_thread;
use crate::environment;
use anyhow::{Context, Result};
use lapin::options::{BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};

/// What a prefix is completed with, see the queue names in the design.
const QUEUES: [&str; 3] = ["work", "dead", "replies"];

/// The AMQP URL of the broker that the tests use.
///
/// # Errors
/// When `AMQP_URL` is not set.
pub fn url() -> Result<String> {
    environment::required("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/%2f")
}

/// A queue prefix that nobody else uses, for `HOLDFAST_QUEUE_PREFIX`.
///
/// Cleans up: deletes the queues `{prefix}.work`, `{prefix}.dead` and `{prefix}.replies`, with their messages, when it
/// is dropped.
#[derive(Debug)]
pub struct QueuePrefix {
    prefix: String,
}

impl QueuePrefix {
    /// A new prefix. Nothing is declared.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default that differs every time would mislead")]
    pub fn new() -> Self {
        Self { prefix: format!("test-{:016x}", rand::random::<u64>()) }
    }

    /// The prefix itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.prefix
    }

    /// The name of the queue of events to process.
    #[must_use]
    pub fn work(&self) -> String {
        format!("{}.work", self.prefix)
    }

    /// The name of the dead-letter queue.
    #[must_use]
    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The name of the queue of decisions to post back.
    #[must_use]
    pub fn replies(&self) -> String {
        format!("{}.replies", self.prefix)
    }
}

impl Drop for QueuePrefix {
    fn drop(&mut self) {
        let prefix = self.prefix.clone();
        if let Err(error) = block_on_own_thread(delete_queues(prefix)) {
            eprintln!("queues {}.* are left behind: {error:#}", self.prefix);
        }
    }
}

/// One message as it lay in a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Peeked {
    /// Headers and other properties.
    pub properties: BasicProperties,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the broker had handed it to somebody before.
    pub redelivered: bool,
}

impl Peeked {
    /// How many events it carries, by what its headers say.
    #[must_use]
    pub fn events(&self) -> u64 {
        let headers = self.properties.headers().as_ref();
        let said = headers.and_then(|headers| headers.inner().get("holdfast-events")?.as_long_long_int());
        said.and_then(|events| u64::try_from(events).ok()).unwrap_or(1)
    }
}

/// How many messages are ready in `queue`; those that a consumer holds are not counted.
///
/// # Errors
/// When the broker cannot be reached or the queue does not exist.
pub async fn depth(queue: &str) -> Result<u32> {
    let connection = connect().await?;
    let channel = connection.create_channel().await.context("cannot open a channel")?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let declared = channel
        .queue_declare(queue.into(), passive, FieldTable::default())
        .await
        .with_context(|| format!("cannot look at queue {queue}"))?;
    let depth = declared.message_count();
    close(connection).await?;
    Ok(depth)
}

/// All messages that are ready in `queue`. They stay there, but each look counts as one delivery for the queue's
/// delivery limit.
///
/// # Errors
/// When the broker cannot be reached or the queue does not exist.
pub async fn get_all(queue: &str) -> Result<Vec<Peeked>> {
    let connection = connect().await?;
    let channel = connection.create_channel().await.context("cannot open a channel")?;
    let mut messages = Vec::new();
    while let Some(got) = channel
        .basic_get(queue.into(), BasicGetOptions::default())
        .await
        .with_context(|| format!("cannot read queue {queue}"))?
    {
        let delivery = got.delivery;
        messages.push(Peeked {
            properties: delivery.properties,
            body: delivery.data,
            redelivered: delivery.redelivered,
        });
    }
    // Nothing was acknowledged, so closing gives everything back.
    close(connection).await?;
    Ok(messages)
}

/// Deletes a queue with all its messages, behind the back of everybody who uses it.
///
/// # Errors
/// When the broker cannot be reached.
pub async fn delete(queue: &str) -> Result<()> {
    let connection = connect().await?;
    let channel = connection.create_channel().await.context("cannot open a channel")?;
    let deleted = channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
    deleted.with_context(|| format!("cannot delete queue {queue}"))?;
    close(connection).await
}

async fn delete_queues(prefix: String) -> Result<()> {
    let connection = connect().await?;
    let channel = connection.create_channel().await.context("cannot open a channel")?;
    for queue in QUEUES {
        let name = format!("{prefix}.{queue}");
        // Deleting a queue that does not exist is no error.
        channel
            .queue_delete(name.as_str().into(), QueueDeleteOptions::default())
            .await
            .with_context(|| format!("cannot delete queue {name}"))?;
    }
    close(connection).await
}

async fn connect() -> Result<Connection> {
    let url = url()?;
    Connection::connect(&url, ConnectionProperties::default())
        .await
        .context("cannot connect to the broker that AMQP_URL names")
}

async fn close(connection: Connection) -> Result<()> {
    connection.close(200, "done".into()).await.context("cannot close the connection to the broker")
}
