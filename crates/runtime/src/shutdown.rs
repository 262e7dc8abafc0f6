//! Shutdown in two phases.

use crate::Error;
use std::future::Future;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Tells tasks that the process is going to end. Clones belong together.
///
/// Soft: take no new work, finish what you have. Hard: the time for that is over; whatever is still running is dropped,
/// and somebody else takes it over.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
}

impl Shutdown {
    /// A shutdown that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the shutdown. A second time changes nothing.
    pub fn begin(&self) {
        self.soft.cancel();
    }

    /// Whether the shutdown has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Cancelled when the shutdown begins.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when the time to finish is over, or nothing is left to finish.
    #[must_use]
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Runs `work` until it is done or the shutdown begins, whichever is first. For work that can be dropped anywhere.
    pub async fn or_soft<F: Future>(&self, work: F) -> Option<F::Output> {
        self.soft.run_until_cancelled(work).await
    }

    pub(crate) fn finish(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }
}

/// The signals that ask a process to end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on the signals no longer kill the process by themselves.
    pub(crate) fn install() -> Result<Self, Error> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(Error::Signals)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Error::Signals)?,
        })
    }

    /// The name of the next signal.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
