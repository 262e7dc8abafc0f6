//! What can go wrong while starting or running a simulator.

use std::{io, iter::successors, net::SocketAddr};

/// Why a simulator could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, not local, or not allowed.
    #[error("could not listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The signing key is not a webhook secret.
    #[error("the signing key is not usable")]
    SigningKey {
        /// What is wrong with it; never the key itself.
        #[source]
        source: signing::SecretError,
    },
    /// The HTTP client that sends the webhooks could not be built.
    #[error("could not set up the webhook sender")]
    Sender {
        /// What the client library said.
        #[source]
        source: reqwest::Error,
    },
}

/// An error and its sources on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let texts: Vec<String> =
        successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    texts.join(": ")
}
