//! One connection with one channel, and everything that has to be right before it is used.

use crate::{AmqpUrl, Error, QueueNames, topology};
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Channel, Connection, ConnectionProperties, ConnectionStatus, Event};
use std::pin::pin;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often a session asks the client library whether its connection still stands, for ends that raise no event.
const STATUS_CHECK: Duration = Duration::from_millis(500);

/// How long a polite goodbye may take. Nothing depends on it.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Where the broker is and how we speak to it.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Address and credentials.
    pub url: AmqpUrl,
    /// The names of our queues.
    pub queues: QueueNames,
    /// What the broker's management page calls our connections, completed with the direction.
    pub connection_name: String,
    /// A connection that is silent for twice as long is dead; rounded up to whole seconds, at least 1 s. A
    /// `heartbeat` in the URL takes precedence.
    pub heartbeat: Duration,
    /// How long connecting and declaring the queues may take together.
    pub connect_timeout: Duration,
}

impl Broker {
    /// A broker with the usual settings: heartbeat 10 s, 10 s to connect.
    #[must_use]
    pub fn new(url: AmqpUrl, queues: QueueNames) -> Self {
        Self {
            url,
            queues,
            connection_name: "holdfast".to_owned(),
            heartbeat: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// Whether a supervised connection works right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// No working session; one is being built.
    Down,
    /// Connected, queues declared, ready.
    Up,
}

/// A connection with declared queues and a fresh channel. Dropping it closes both in the background.
#[derive(Debug)]
pub(crate) struct Link {
    connection: OpenConnection,
    pub(crate) channel: Channel,
}

impl Link {
    /// Connects, opens a channel and declares the queues.
    pub(crate) async fn open(broker: &Broker, purpose: &str) -> Result<Self, Error> {
        let limit = broker.connect_timeout;
        let opening = async {
            let connection = connect(broker, purpose).await?;
            let channel = connection.0.create_channel().await.map_err(Error::operation("open a channel"))?;
            topology::declare(&channel, &broker.queues).await?;
            Ok(Self { connection, channel })
        };
        timeout(limit, opening)
            .await
            .unwrap_or(Err(Error::Timeout { operation: "connect and declare", limit }))
    }

    /// Opens another channel.
    pub(crate) async fn create_channel(&self) -> lapin::Result<Channel> {
        self.connection.0.create_channel().await
    }

    /// The state of the connection, to be asked at any time.
    pub(crate) fn status(&self) -> ConnectionStatus {
        self.connection.0.status().clone()
    }

    /// Whether the broker takes no messages for the moment, being short of memory or disk.
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.0.status().blocked()
    }

    /// Resolves when the connection or the channel has ended, whoever ended it.
    pub(crate) async fn ended(&self) -> Error {
        let mut events = pin!(self.connection.0.events_listener());
        let mut check = interval(STATUS_CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(event) = events.next() => {
                    if let Event::Error(source) = event {
                        return Error::Operation { operation: "keep the connection", source };
                    }
                }
                _ = check.tick() => {
                    if !self.connection.0.status().connected() || !self.channel.status().connected() {
                        return Error::ConnectionLost;
                    }
                }
            }
        }
    }

    /// Says goodbye, so that the broker requeues what was not acknowledged at once.
    pub(crate) async fn close(self) {
        let goodbye = self.connection.0.close(200, "OK".into());
        if !matches!(timeout(CLOSE_LIMIT, goodbye).await, Ok(Ok(()))) {
            tracing::debug!("the connection to RabbitMQ could not be closed politely");
        }
    }
}

/// A connection that is closed when it is dropped.
#[derive(Debug)]
struct OpenConnection(Connection);

impl Drop for OpenConnection {
    /// Begins to close, without waiting. The client library closes a dropped connection only after its channels were
    /// closed in good order, which a connection that just misbehaved may never do; a half-open connection that comes
    /// back to life would then still have its consumer, and sit on messages.
    fn drop(&mut self) {
        // The request is on its way after the first poll. An error means that there is nothing left to close.
        self.0.close(200, "OK".into()).now_or_never();
    }
}

async fn connect(broker: &Broker, purpose: &str) -> Result<OpenConnection, Error> {
    let mut uri = broker.url.uri().clone();
    uri.query.heartbeat.get_or_insert_with(|| {
        let seconds = broker.heartbeat.as_millis().div_ceil(1000).max(1);
        u16::try_from(seconds).unwrap_or(u16::MAX)
    });
    let (host, port) = (uri.authority.host.clone(), uri.authority.port);
    let name = format!("{} {purpose}", broker.connection_name);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Connection::connect_uri(uri, properties).await.map(OpenConnection).map_err(|source| {
        if is_access_refused(&source) {
            Error::AccessRefused { host, port, source }
        } else {
            Error::Connect { host, port, source }
        }
    })
}

/// Whether a person has to change something before connecting can work.
fn is_access_refused(error: &lapin::Error) -> bool {
    let lapin::ErrorKind::ProtocolError(reply) = error.kind() else { return false };
    [
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED),
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED),
        AMQPErrorKind::Hard(AMQPHardError::INVALIDPATH),
    ]
    .contains(reply.kind())
}
