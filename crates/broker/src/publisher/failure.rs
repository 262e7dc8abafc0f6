//! Why a message is not known to be stored.

use crate::message::Unencodable;
use domain::FailureClass;

/// The outcome of a publish that was not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// There is no connection; the message was not sent.
    #[error("not connected to RabbitMQ")]
    Disconnected,
    /// RabbitMQ is short of memory or disk and takes no messages; the message was not sent.
    #[error("RabbitMQ blocks publishers, it is short of memory or disk")]
    Blocked,
    /// Too many publishes wait for their confirm; the message was not sent.
    #[error("too many publishes wait for their confirm")]
    Overloaded,
    /// The broker returned the message: its queue does not exist. The next session declares it anew.
    #[error("RabbitMQ has no queue for the message")]
    Unroutable,
    /// The broker refused the message, for example because the queue is full.
    #[error("RabbitMQ refused the message")]
    Refused,
    /// No answer in time, or the connection broke first: the message may be stored or not.
    #[error("RabbitMQ did not confirm the message")]
    Unconfirmed,
    /// The message cannot be put into AMQP.
    #[error("the message cannot be encoded")]
    Unencodable(#[from] Unencodable),
}

impl PublishError {
    /// What the failure means for the message.
    #[must_use]
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::Unencodable(_) => FailureClass::Permanent,
            Self::Disconnected
            | Self::Blocked
            | Self::Overloaded
            | Self::Unroutable
            | Self::Refused
            | Self::Unconfirmed => FailureClass::Transient,
        }
    }

    /// The name under which the outcome is counted.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Blocked => "blocked",
            Self::Overloaded => "overloaded",
            Self::Unroutable => "unroutable",
            Self::Refused => "refused",
            Self::Unconfirmed => "unconfirmed",
            Self::Unencodable(_) => "unencodable",
        }
    }
}
