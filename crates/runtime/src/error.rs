//! What can go wrong here.

use std::io;
use std::net::SocketAddr;

/// Why a process could not run, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of a listener cannot be had.
    #[error("cannot listen on {address}, choose another address with {setting}")]
    Listen {
        /// The address that was configured.
        address: SocketAddr,
        /// The flag and the variable that set it.
        setting: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The internal listener broke.
    #[error("the internal listener failed")]
    Health(#[source] io::Error),
    /// Signals cannot be received, so nobody could ask the process to end.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// A task that must run until the shutdown ended before.
    #[error("task {task} ended early")]
    TaskEnded {
        /// The name it was spawned with.
        task: &'static str,
    },
    /// A task failed.
    #[error("task {task} failed")]
    TaskFailed {
        /// The name it was spawned with.
        task: &'static str,
        /// What it said.
        #[source]
        source: anyhow::Error,
    },
    /// A task panicked.
    #[error("task {task} panicked: {message}")]
    TaskPanicked {
        /// The name it was spawned with.
        task: &'static str,
        /// What the panic said.
        message: String,
    },
}
