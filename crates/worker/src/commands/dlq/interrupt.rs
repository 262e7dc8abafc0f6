//! Ctrl-C during a long command.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether the person wants no more of it.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    asked: AtomicBool,
}

impl Interrupt {
    /// Whether the person has asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Does `work`, which looks at [`Interrupt::is_asked`] where it can stop. A second signal drops it where it stands;
    /// `None` then.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub(crate) async fn listen_during<F: Future>(&self, work: F) -> std::io::Result<Option<F::Output>> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let asked_twice = async {
            either(&mut interrupt, &mut terminate).await;
            self.asked.store(true, Ordering::Relaxed);
            either(&mut interrupt, &mut terminate).await;
        };
        Ok(tokio::select! {
            output = work => Some(output),
            () = asked_twice => None,
        })
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
