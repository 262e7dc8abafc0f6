//! Everything that is said to RabbitMQ.
//!
//! Owns the queues and their arguments ([`topology`]), the shape of a message on the wire ([`message`]), publishing
//! with confirms ([`publisher`]), consuming ([`consumer`]) and looking at queues ([`inspector`]). Knows event ids and
//! payload bytes, not events, and nothing of Postgres.
//!
//! What always holds:
//!
//! - **One connection per direction, rebuilt as a whole.** Any error (a closed channel, the end of the stream of
//!   deliveries, missing heartbeats, no progress) ends the session: connection, channels, delivery tags and pending
//!   confirms die together. The next session begins from nothing: connect, declare, prefetch or confirm mode, go.
//!   The client library's own recovery stays off; half-recovered sessions are where others lost events.
//! - **Published means stored.** A publish succeeds when the broker confirmed the message and did not return it.
//! - **Nothing waits for ever.** Each await on the broker has a deadline, and each buffer a bound.
//! - **Nothing is given up.** Sessions are rebuilt until the caller says stop, 0.5 to 30 s apart, with jitter.
//! - **No credentials in any text.** [`AmqpUrl`] prints without its password, and no error carries the URL.
//!
//! The client library logs on its own: at `trace` the whole handshake, at `warn` messages that the broker returned
//! with their payload. Keep its log target `lapin` at `error`.

pub mod amqp_url;
pub mod consumer;
mod error;
pub mod inspector;
mod link;
pub mod message;
pub mod metrics;
pub mod publisher;
mod repeats;
mod supervision;
pub mod topology;

pub use amqp_url::AmqpUrl;
pub use consumer::{Acker, Consumer, ConsumerConfig, Control, Delivery, Flow, Hands, Held, MarkerDelivery};
pub use error::Error;
pub use inspector::{DeadLetter, Depths, Inspector, QueueDepth, Sweep, SweepCounts, Verdict};
pub use link::{Broker, LinkState};
pub use message::{Failure, Malformed, Marker, Message};
pub use metrics::Metrics;
pub use publisher::{PublishError, Publisher, PublisherConfig, PublisherTask};
pub use topology::{Queue, QueueNames};
