//! The life of a publisher: session after session, until it is told to stop.

use super::session::{Ended, Session};
use super::{Outgoing, PublishError, PublisherConfig};
use crate::Broker;
use crate::supervision::Supervision;
use lapin::ConnectionStatus;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Owns the connection of a [`Publisher`](super::Publisher). Does nothing until it runs.
#[derive(Debug)]
pub struct PublisherTask {
    broker: Broker,
    config: PublisherConfig,
    supervision: Supervision,
    connection: watch::Sender<ConnectionStatus>,
    incoming: mpsc::UnboundedReceiver<Outgoing>,
}

impl PublisherTask {
    pub(super) const fn new(
        broker: Broker,
        config: PublisherConfig,
        supervision: Supervision,
        connection: watch::Sender<ConnectionStatus>,
        incoming: mpsc::UnboundedReceiver<Outgoing>,
    ) -> Self {
        Self { broker, config, supervision, connection, incoming }
    }

    /// Connects, serves the publisher and reconnects, until `stop` is cancelled or every handle is dropped. Stopping
    /// takes no new messages, waits for outstanding confirms at most as long as a publish may take, and closes the
    /// connection.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let error = match self.session(&stop).await {
                Ok(()) => break,
                Err(error) => error,
            };
            let pause = self.supervision.failed(&error);
            if refusing(&mut self.incoming, &stop, sleep(pause)).await.is_none() {
                break;
            }
        }
        self.supervision.stopped();
    }

    /// One session from connecting to its end. `Ok` means that there shall be no other.
    async fn session(&mut self, stop: &CancellationToken) -> Result<(), crate::Error> {
        let opening = Session::open(&self.broker, &self.config);
        let Some(session) = refusing(&mut self.incoming, stop, opening).await else { return Ok(()) };
        let session = session?;
        self.connection.send_replace(session.status());
        self.supervision.up();
        let ended = session.serve(&mut self.incoming, stop).await;
        match ended {
            Ended::Stopped => {
                self.supervision.stopped();
                session.close().await;
                Ok(())
            }
            Ended::Failed(error) => Err(error),
        }
    }
}

/// Waits for `work` while answering every message that there is no connection: one may slip in between the end of a
/// session and the moment when the handles know of it. `None` when it is time to stop.
async fn refusing<T>(
    incoming: &mut mpsc::UnboundedReceiver<Outgoing>,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            () = stop.cancelled() => return None,
            done = &mut work => return Some(done),
            message = incoming.recv() => {
                // Whoever gave up waiting needs no answer.
                message?.reply.send(Err(PublishError::Disconnected)).ok();
            }
        }
    }
}
