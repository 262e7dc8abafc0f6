//! The control API under `/_sim`: JSON, no credentials, for people and tests.

mod batches;
mod deliveries;
mod endpoint;
mod executor;
mod faults;
mod limit;
mod lives;
mod scenarios;
mod sessions;
mod state;
mod truth;

use actix_web::{HttpResponse, web};
use serde::de::DeserializeOwned;

use crate::world::Refusal;

/// Mounts everything under `/_sim`, and `/livez` beside it.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/livez", web::get().to(live)).service(
        web::scope("/_sim")
            .configure(sessions::routes)
            .configure(scenarios::routes)
            .configure(faults::routes)
            .configure(endpoint::routes)
            .configure(executor::routes)
            .configure(limit::routes)
            .configure(lives::routes)
            .configure(deliveries::routes)
            .configure(batches::routes)
            .configure(state::routes)
            .configure(truth::routes)
            .default_service(web::to(unknown)),
    );
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().body("ok\n")
}

async fn unknown() -> Result<HttpResponse, Refusal> {
    Err(Refusal::NotFound { what: "control call" })
}

/// A typed body; an empty one counts as `{}`.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(format!("body: {error}")))
}
