//! Consuming a queue, over a connection that is rebuilt when it breaks.
//!
//! A [`Consumer`] hands deliveries to a bounded channel of the caller. Three independent controls steer it, see
//! [`Control`]: pausing (a circuit breaker), draining and closing (the two steps of a shutdown).

use crate::metrics::Direction;
use crate::supervision::Supervision;
use crate::{Broker, Error, LinkState, Metrics, Queue};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

mod acker;
mod care;
mod control;
mod delivery;
mod hands;
mod session;
mod watchdog;

pub use acker::Acker;
pub use control::{Control, Flow};
pub use delivery::{Delivery, MarkerDelivery};
pub use hands::{Hands, Held};

use care::Care;
use control::{Phase, Steering};
use session::Session;

/// Settings of a consumer.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// The queue to consume.
    pub queue: Queue,
    /// How many deliveries may be unsettled at the same time, at least 1. The broker would read 0 as "no limit". The first
    /// one of a consumer comes on top, and what came back again and again before it is handed out one at a time.
    pub prefetch: u16,
    /// What the broker's management page calls the consumer.
    pub tag: String,
    /// After so long without a delivery, the queue is asked whether that is right.
    pub progress_check: Duration,
    /// How long the broker may take to answer that, or any other request.
    pub answer_timeout: Duration,
}

impl ConsumerConfig {
    /// A consumer of `queue` with a progress check every 30 s and 10 s for the broker to answer.
    #[must_use]
    pub fn new(queue: Queue, prefetch: u16) -> Self {
        Self {
            queue,
            prefetch,
            tag: format!("holdfast-{queue}"),
            progress_check: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(10),
        }
    }
}

/// Consumes one queue. Does nothing until it runs.
#[derive(Debug)]
pub struct Consumer {
    broker: Broker,
    config: ConsumerConfig,
    supervision: Supervision,
    hands: Hands,
    care: Care,
    markers: Option<mpsc::Sender<MarkerDelivery>>,
}

impl Consumer {
    /// A consumer that connects once it runs.
    #[must_use]
    pub fn new(broker: Broker, mut config: ConsumerConfig, metrics: Metrics) -> Self {
        config.prefetch = config.prefetch.max(1);
        let supervision = Supervision::new(Direction::of_consumer(config.queue), metrics);
        Self { broker, config, supervision, hands: Hands::default(), care: Care::default(), markers: None }
    }

    /// Where markers go. Without it, or when there is no room, they are acknowledged and forgotten: a lost marker is
    /// replaced by the next one.
    #[must_use]
    pub fn with_markers(self, markers: mpsc::Sender<MarkerDelivery>) -> Self {
        Self { markers: Some(markers), ..self }
    }

    /// What it has handed out and nobody has settled, to be looked at. Markers do not count.
    #[must_use]
    pub fn hands(&self) -> Hands {
        self.hands.clone()
    }

    /// The state of the connection, to be watched. [`LinkState::Up`] while paused or draining, too.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.supervision.state()
    }

    /// Connects, consumes into `sink` and reconnects, until `control` says close. Dropping the receiver of `sink`
    /// drains, too.
    ///
    /// Deliveries of a session that ended are still in the sink afterwards; acknowledging them fails harmlessly with
    /// [`Error::DeliveryExpired`], and the broker delivers them again.
    pub async fn run(mut self, sink: mpsc::Sender<Delivery>, control: Control) {
        let mut steering = Steering::new(control, sink);
        loop {
            let Err(error) = self.session(&mut steering).await else { break };
            let pause = self.supervision.failed(&error);
            // While draining, there is nothing left to reconnect for: the deliveries died with their session.
            tokio::select! {
                () = sleep(pause) => {}
                () = steering.until_draining() => break,
            }
        }
        self.supervision.stopped();
    }

    /// One session from connecting to its end. `Ok` means that there shall be no other.
    async fn session(&mut self, steering: &mut Steering) -> Result<(), Error> {
        let session = tokio::select! {
            opened = Session::open(&self.broker, &self.config, &self.hands, &self.care, self.markers.as_ref()) => opened?,
            () = steering.until_draining() => return Ok(()),
        };
        self.supervision.up();
        let link_ended = session.link_ended();
        let serving = async {
            loop {
                match steering.phase() {
                    Phase::Running => session.consume(steering).await?,
                    waiting @ (Phase::Paused | Phase::Draining) => steering.until_not(waiting).await,
                    Phase::Closing => return Ok(()),
                }
            }
        };
        tokio::select! {
            error = link_ended => return Err(error),
            served = serving => served?,
        }
        self.supervision.stopped();
        session.close().await;
        Ok(())
    }
}
