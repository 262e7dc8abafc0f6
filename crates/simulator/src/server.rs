//! Starting and stopping a simulator.

use std::{net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    web::{Data, PayloadConfig},
};
use tracing::{error, info};

use crate::{api, control, error::Error, options::Options, shared::Shared};

/// The platform's limit for request bodies.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// How long deliveries under way may take to end when the simulator stops.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

/// A running simulator. Dropping it stops it as well, without waiting.
pub struct Simulator {
    address: SocketAddr,
    server: ServerHandle,
    shared: Shared,
}

impl Simulator {
    /// Binds, and serves in the background of the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] when the address cannot be bound, [`Error::SigningKey`] when the signing key is no webhook
    /// secret, [`Error::Sender`] when the HTTP client cannot be built.
    #[expect(clippy::unused_async, reason = "must run inside a tokio runtime, which being async makes plain")]
    pub async fn start(options: Options) -> Result<Self, Error> {
        let address = options.listen;
        let threads = options.http_threads.max(1);
        let shared = Shared::new(options)?;
        let data = Data::new(shared.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(PayloadConfig::new(MAX_BODY_BYTES))
                .configure(api::routes)
                .configure(control::routes)
        })
        .workers(threads)
        .shutdown_timeout(DRAIN_WITHIN.as_secs())
        .disable_signals()
        .bind(address)
        .map_err(|source| Error::Listen { address, source })?;
        let address = server.addrs().first().copied().unwrap_or(address);
        let server = server.run();
        let handle = server.handle();
        shared.tasks.spawn(async move {
            if let Err(error) = server.await {
                error!(error = &error as &dyn std::error::Error, "the server ended");
            }
        });
        info!(%address, seed = shared.seed, "simulator started");
        Ok(Self { address, server: handle, shared })
    }

    /// `http://host:port`, without a slash at the end: what `ANTHROPIC_BASE_URL` takes, and where `/_sim` is.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops: no new calls, no new attempts, and those under way get some seconds to end.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.server.stop(true).await;
        self.shared.tasks.close();
        if tokio::time::timeout(DRAIN_WITHIN, self.shared.tasks.wait()).await.is_err() {
            tracing::warn!("some deliveries did not end in time");
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        // The command is sent by the call itself; the future would only wait for it.
        drop(self.server.stop(false));
    }
}
