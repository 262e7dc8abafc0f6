//! The internal listener: liveness, readiness, metrics.

use crate::{Error, Shutdown};
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use telemetry::{Chain, Registry, metrics};

/// Answers at once, from what the process already knows; the error says what is wrong.
type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the internal listener reports.
///
/// Ready: send me work. Live: do not kill me. A dependency that is away makes a process not ready and never not live:
/// killing it would not bring the dependency back.
pub struct Health {
    shutdown: Shutdown,
    registry: Arc<Registry>,
    ready: Vec<(&'static str, Check)>,
    live: Vec<(&'static str, Check)>,
}

impl Health {
    /// Ready and live until the shutdown begins; then not ready, and still live.
    #[must_use]
    pub fn new(shutdown: Shutdown, registry: Arc<Registry>) -> Self {
        Self { shutdown, registry, ready: Vec::new(), live: Vec::new() }
    }

    /// Adds a condition of readiness. The check must not block.
    #[must_use]
    pub fn ready_when<C>(mut self, name: &'static str, check: C) -> Self
    where
        C: Fn() -> Result<(), String> + Send + Sync + 'static,
    {
        self.ready.push((name, Box::new(check)));
        self
    }

    /// Adds a condition of liveness. The check must not block.
    #[must_use]
    pub fn live_when<C>(mut self, name: &'static str, check: C) -> Self
    where
        C: Fn() -> Result<(), String> + Send + Sync + 'static,
    {
        self.live.push((name, Box::new(check)));
        self
    }

    fn reasons_against_ready(&self) -> Vec<String> {
        let mut reasons = failed(&self.ready);
        if self.shutdown.has_begun() {
            reasons.push("shutting down".to_owned());
        }
        reasons
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            |checks: &[(&'static str, Check)]| checks.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        f.debug_struct("Health")
            .field("ready", &names(&self.ready))
            .field("live", &names(&self.live))
            .finish_non_exhaustive()
    }
}

/// Serves `/livez`, `/readyz` and `/metrics`.
///
/// On threads of its own, so that it answers while the rest of the process is busy.
#[derive(Debug)]
pub struct HealthServer {
    listener: TcpListener,
    health: Arc<Health>,
}

impl HealthServer {
    /// Serves `health` on a listener that is already bound, see [`listen`].
    #[must_use]
    pub fn new(listener: TcpListener, health: Health) -> Self {
        Self { listener, health: Arc::new(health) }
    }

    /// Serves until the hard phase of the shutdown. Meant for [`crate::Tasks::spawn_lasting`].
    ///
    /// # Errors
    /// [`Error::Health`] when the listener breaks.
    pub async fn serve(self) -> Result<(), Error> {
        let hard = self.health.shutdown.hard().clone();
        let health = web::Data::from(self.health);
        let app = move || {
            App::new()
                .app_data(health.clone())
                .route("/livez", web::get().to(livez))
                .route("/readyz", web::get().to(readyz))
                .route("/metrics", web::get().to(scrape))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .listen(self.listener)
            .map_err(Error::Health)?
            .run();
        let handle = server.handle();
        let mut server = std::pin::pin!(server);
        tokio::select! {
            broken = &mut server => return broken.map_err(Error::Health),
            () = hard.cancelled() => {}
        }
        // The server has to be polled while it stops.
        let (stopped, ()) = tokio::join!(server, handle.stop(false));
        stopped.map_err(Error::Health)
    }
}

/// Binds the address of a listener. `setting` names the flag and the variable to change when that fails, for example
/// `--internal-listen (HOLDFAST_INTERNAL_LISTEN)`.
///
/// # Errors
/// [`Error::Listen`] when the address is in use or not ours.
pub fn listen(address: SocketAddr, setting: &'static str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).map_err(|source| Error::Listen { address, setting, source })
}

async fn livez(health: web::Data<Health>) -> HttpResponse {
    answer("live", "not live", &failed(&health.live))
}

async fn readyz(health: web::Data<Health>) -> HttpResponse {
    answer("ready", "not ready", &health.reasons_against_ready())
}

async fn scrape(health: web::Data<Health>) -> HttpResponse {
    match metrics::encode(&health.registry) {
        Ok(text) => HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(text),
        Err(error) => {
            tracing::error!(error = %Chain(&error), "metrics cannot be scraped");
            HttpResponse::InternalServerError().content_type(ContentType::plaintext()).body("cannot encode")
        }
    }
}

fn answer(good: &str, bad: &str, reasons: &[String]) -> HttpResponse {
    if reasons.is_empty() {
        return HttpResponse::Ok().json(json!({ "status": good }));
    }
    HttpResponse::ServiceUnavailable().json(json!({ "status": bad, "reasons": reasons }))
}

fn failed(checks: &[(&'static str, Check)]) -> Vec<String> {
    let failure = |(name, check): &(&'static str, Check)| check().err().map(|why| format!("{name}: {why}"));
    checks.iter().filter_map(failure).collect()
}
