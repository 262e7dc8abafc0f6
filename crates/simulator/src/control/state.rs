//! Counters, and back to the start.

use actix_web::{
    HttpResponse,
    web::{Data, ServiceConfig, get, post},
};
use serde_json::json;

use crate::{lock::lock, shared::Shared, world::Refusal};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/state", get().to(show)).route("/reset", post().to(reset));
}

async fn show(shared: Data<Shared>) -> HttpResponse {
    let sessions = lock(&shared.world).session_count();
    let webhooks = lock(&shared.courier.journal).totals.clone();
    let disabled_reason = lock(&shared.courier.endpoint).disabled_reason.clone();
    let throttled = lock(&shared.limit).refused;
    let calls = lock(&shared.calls);
    HttpResponse::Ok().json(json!({
        "seed": shared.seed, "sessions": sessions, "calls": &*calls, "webhooks": webhooks,
        "endpoint_disabled_reason": disabled_reason, "throttled": throttled, "faults": lock(&shared.faults).rules().len(),
    }))
}

/// The configured endpoint, an empty world, no faults, counters at zero, and the seed from its beginning.
async fn reset(shared: Data<Shared>) -> Result<HttpResponse, Refusal> {
    shared.reset().map_err(|error| Refusal::conflict(error.to_string()))?;
    Ok(HttpResponse::Ok().json(json!({ "reset": true })))
}
