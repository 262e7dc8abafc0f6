//! How a consumer is paused, drained and closed.

use super::Delivery;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Whether deliveries are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Yes.
    Running,
    /// Not now. The connection stays, what was handed out can be acknowledged, and messages wait in the queue.
    Paused,
}

/// The controls of a consumer.
#[derive(Debug, Clone)]
pub struct Control {
    /// Pauses and resumes. When its sender is dropped, the last value stays in force. Deliveries from before a pause
    /// that are still unsettled after it come on top of the prefetch.
    pub flow: watch::Receiver<Flow>,
    /// First step of a shutdown: nothing more is handed out, for good; what was handed out can be acknowledged.
    pub drain: CancellationToken,
    /// Second step: the connection is closed, and the broker gives what was not acknowledged to others.
    pub close: CancellationToken,
}

impl Control {
    /// Controls that are never used to pause.
    #[must_use]
    pub fn running(drain: CancellationToken, close: CancellationToken) -> Self {
        let (_, flow) = watch::channel(Flow::Running);
        Self { flow, drain, close }
    }
}

/// What the consumer has to do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    Paused,
    Draining,
    Closing,
}

/// The controls and the sink, read as one.
#[derive(Debug)]
pub(super) struct Steering {
    control: Control,
    pub(super) sink: mpsc::Sender<Delivery>,
}

impl Steering {
    pub(super) const fn new(control: Control, sink: mpsc::Sender<Delivery>) -> Self {
        Self { control, sink }
    }

    pub(super) fn phase(&self) -> Phase {
        if self.control.close.is_cancelled() {
            Phase::Closing
        } else if self.control.drain.is_cancelled() || self.sink.is_closed() {
            Phase::Draining
        } else {
            match *self.control.flow.borrow() {
                Flow::Running => Phase::Running,
                Flow::Paused => Phase::Paused,
            }
        }
    }

    /// Waits until the phase is another one.
    pub(super) async fn until_not(&self, phase: Phase) {
        let mut flow = self.control.flow.clone();
        while self.phase() == phase {
            let draining = phase == Phase::Draining;
            tokio::select! {
                () = self.control.close.cancelled() => {}
                () = self.control.drain.cancelled(), if !draining => {}
                () = self.sink.closed(), if !draining => {}
                () = changed(&mut flow), if !draining => {}
            }
        }
    }

    /// Waits until nothing more shall be handed out.
    pub(super) async fn until_draining(&self) {
        tokio::select! {
            () = self.control.close.cancelled() => {}
            () = self.control.drain.cancelled() => {}
            () = self.sink.closed() => {}
        }
    }
}

async fn changed(flow: &mut watch::Receiver<Flow>) {
    if flow.changed().await.is_err() {
        // Nobody can change it any more.
        std::future::pending::<()>().await;
    }
}
