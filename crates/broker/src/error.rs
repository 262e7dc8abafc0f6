//! What can go wrong between us and the broker.

use crate::Queue;
use domain::FailureClass;
use std::time::Duration;

/// Why something could not be said to RabbitMQ. No variant holds the URL or a part of its credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL of the broker cannot be read. It is not quoted, as it may hold a password.
    #[error("the AMQP URL is invalid, expected amqp://user:password@host:port/vhost")]
    InvalidUrl,
    /// A queue prefix is too long or has characters that would surprise a person at the broker.
    #[error("the queue prefix {prefix:?} is invalid, expected 1 to 200 letters, digits, '-', '_' or '.'")]
    InvalidPrefix {
        /// The prefix as given.
        prefix: String,
    },
    /// No connection could be made.
    #[error("could not connect to RabbitMQ at {host}:{port}")]
    Connect {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// What the client library says.
        #[source]
        source: lapin::Error,
    },
    /// The broker refused our user, or the user may not use the virtual host.
    #[error("RabbitMQ at {host}:{port} refused our credentials or the virtual host")]
    AccessRefused {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// What the broker says.
        #[source]
        source: lapin::Error,
    },
    /// A queue exists already, but was declared with other arguments than ours.
    #[error(
        "queue {queue} exists with other arguments: drain and delete it so that it is declared anew, remove the policy \
         that changes it, or choose another queue prefix"
    )]
    QueueMismatch {
        /// Full name of the queue.
        queue: String,
        /// What the broker says, naming the argument.
        #[source]
        source: lapin::Error,
    },
    /// The broker refused or failed an operation.
    #[error("RabbitMQ failed to {operation}")]
    Operation {
        /// What we asked for, a verb phrase.
        operation: &'static str,
        /// What the client library says.
        #[source]
        source: lapin::Error,
    },
    /// The broker did not answer in time.
    #[error("RabbitMQ took longer than {limit:?} to {operation}")]
    Timeout {
        /// What we asked for, a verb phrase.
        operation: &'static str,
        /// How long we waited.
        limit: Duration,
    },
    /// The connection or its channel is gone.
    #[error("the connection to RabbitMQ is gone")]
    ConnectionLost,
    /// The broker ended our consumption, for example because the queue was deleted.
    #[error("RabbitMQ ended the consumption of queue {queue}")]
    ConsumptionEnded {
        /// The queue that was consumed.
        queue: Queue,
    },
    /// The connection looks alive and messages wait, but none is delivered.
    #[error("queue {queue} has {ready} messages ready and room in the prefetch, but nothing is delivered")]
    NothingDelivered {
        /// The queue that is consumed.
        queue: Queue,
        /// How many messages wait.
        ready: u32,
    },
    /// The connection looks alive, but no publish is being confirmed.
    #[error("no publish was confirmed for {limit:?}, although {pending} wait for it")]
    NothingConfirmed {
        /// How long we waited.
        limit: Duration,
        /// How many publishes wait.
        pending: usize,
    },
    /// The broker returned a message: its queue does not exist.
    #[error("RabbitMQ returned a message as unroutable, a queue is missing")]
    Returned,
    /// A copy of a dead letter was not confirmed; its original stays in the queue.
    #[error("the copy of a dead letter was not confirmed by RabbitMQ")]
    CopyUnconfirmed,
    /// A marker was not confirmed; it may be in the queue or not.
    #[error("the marker of an audit was not confirmed by RabbitMQ")]
    MarkerUnconfirmed,
    /// The delivery belongs to a session that is over; the broker gives the message to somebody again.
    #[error("the delivery can no longer be acknowledged, RabbitMQ will deliver it again")]
    DeliveryExpired,
    /// The message carries other events as well, and what was asked for would happen to all of them.
    #[error("the message carries several events, one of them cannot be rejected alone")]
    PartOfBundle,
}

impl Error {
    /// What the failure means for whoever wanted something from the broker.
    #[must_use]
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::InvalidUrl
            | Self::InvalidPrefix { .. }
            | Self::AccessRefused { .. }
            | Self::QueueMismatch { .. } => FailureClass::Configuration,
            Self::Connect { .. }
            | Self::Operation { .. }
            | Self::Timeout { .. }
            | Self::ConnectionLost
            | Self::ConsumptionEnded { .. }
            | Self::NothingDelivered { .. }
            | Self::NothingConfirmed { .. }
            | Self::Returned
            | Self::CopyUnconfirmed
            | Self::MarkerUnconfirmed
            | Self::DeliveryExpired => FailureClass::Transient,
            Self::PartOfBundle => FailureClass::Bug,
        }
    }

    /// Gives a failure of the client library its context.
    pub(crate) fn operation(operation: &'static str) -> impl Fn(lapin::Error) -> Self {
        move |source| Self::Operation { operation, source }
    }
}
