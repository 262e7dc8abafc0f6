//! Looking at the queues and tidying the dead letters, on a short-lived connection of its own.

use crate::link::Link;
use crate::{Broker, Error, Marker, Queue, QueueNames};
use lapin::Confirmation;
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::{FieldTable, ShortString};
use std::time::Duration;
use tokio::time::timeout;

mod server_version;
mod sweep;

pub use server_version::server_version;
pub use sweep::{DeadLetter, Sweep, SweepCounts, Verdict};

/// How long the broker may take to answer one question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The figures of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// Messages that wait; those that a consumer holds are not counted.
    pub messages: u32,
    /// Consumers of the queue.
    pub consumers: u32,
}

/// The figures of all queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depths {
    /// Events to be processed.
    pub work: QueueDepth,
    /// Dead letters.
    pub dead: QueueDepth,
    /// Answers to be posted.
    pub replies: QueueDepth,
}

/// A connection for people and periodic duties. Not supervised: when it breaks, its user opens another one.
#[derive(Debug)]
pub struct Inspector {
    link: Link,
    queues: QueueNames,
}

impl Inspector {
    /// Connects and declares the queues, so that all of them can be asked.
    ///
    /// # Errors
    /// When the broker cannot be reached, refuses us, or has a queue with other arguments than ours.
    pub async fn connect(broker: &Broker) -> Result<Self, Error> {
        Ok(Self { link: Link::open(broker, "inspect").await?, queues: broker.queues.clone() })
    }

    /// How many messages and consumers each queue has.
    ///
    /// # Errors
    /// When the connection is gone or a queue was deleted.
    pub async fn depths(&self) -> Result<Depths, Error> {
        Ok(Depths {
            work: self.depth(Queue::Work).await?,
            dead: self.depth(Queue::Dead).await?,
            replies: self.depth(Queue::Replies).await?,
        })
    }

    async fn depth(&self, queue: Queue) -> Result<QueueDepth, Error> {
        let options = QueueDeclareOptions::durable().passive();
        let declaring =
            self.link.channel.queue_declare(self.queues.routing_key(queue), options, FieldTable::default());
        let declared = in_time("look at a queue", declaring).await?;
        Ok(QueueDepth { messages: declared.message_count(), consumers: declared.consumer_count() })
    }

    /// Places a marker at the tail of [`Queue::Work`], and returns when the broker has it.
    ///
    /// # Errors
    /// When the connection is gone, or the broker did not confirm the marker.
    pub async fn place_marker(&self, marker: Marker) -> Result<(), Error> {
        let channel = in_time("open a channel", self.link.create_channel()).await?;
        in_time("switch confirms on", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let publishing = channel.basic_publish(
            ShortString::default(),
            self.queues.routing_key(Queue::Work),
            BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() },
            &[],
            marker.encode(),
        );
        let confirmed = in_time("confirm a marker", async { publishing.await?.await }).await?;
        in_time("close the channel", channel.close(200, "OK".into())).await?;
        match confirmed {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err(Error::Returned),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(Error::MarkerUnconfirmed),
        }
    }

    /// Throws away all waiting messages of a queue and returns how many there were.
    ///
    /// # Errors
    /// When the connection is gone or the queue was deleted.
    pub async fn purge(&self, queue: Queue) -> Result<u32, Error> {
        let purging =
            self.link.channel.queue_purge(self.queues.routing_key(queue), QueuePurgeOptions::default());
        in_time("purge a queue", purging).await
    }

    /// Deletes a queue with its messages. Whoever connects next declares it anew.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn delete(&self, queue: Queue) -> Result<(), Error> {
        let deleting =
            self.link.channel.queue_delete(self.queues.routing_key(queue), QueueDeleteOptions::default());
        in_time("delete a queue", deleting).await.map(|_messages| ())
    }

    /// Begins one pass over the dead letters, see [`Sweep`]. At most `max` letters are looked at, at most `prefetch`
    /// of them at the same time.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn sweep_dead(&self, max: u32, prefetch: u16) -> Result<Sweep, Error> {
        let depth = self.depth(Queue::Dead).await?;
        let channel = in_time("open a channel", self.link.create_channel()).await?;
        Sweep::begin(channel, self.queues.routing_key(Queue::Dead), depth.messages, max, prefetch).await
    }

    /// Closes the connection.
    pub async fn close(self) {
        self.link.close().await;
    }
}

async fn in_time<T>(
    operation: &'static str,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Error> {
    match timeout(ANSWER_LIMIT, work).await {
        Ok(result) => result.map_err(Error::operation(operation)),
        Err(_elapsed) => Err(Error::Timeout { operation, limit: ANSWER_LIMIT }),
    }
}
