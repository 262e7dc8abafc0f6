//! Setting, adding, showing and clearing the faults of the API.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, ServiceConfig, delete, get, post, put},
};
use serde_json::json;

use crate::{control::parsed, faults::Rule, lock::lock, shared::Shared, world::Refusal};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/faults", put().to(replace))
        .route("/faults", post().to(add))
        .route("/faults", get().to(list))
        .route("/faults", delete().to(clear));
}

/// Replaces all rules by a list of new ones.
async fn replace(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let rules: Vec<Rule> = parsed(&body)?;
    lock(&shared.faults).replace(rules);
    Ok(shown(&shared))
}

/// Adds one rule behind the others.
async fn add(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let rule: Rule = parsed(&body)?;
    lock(&shared.faults).add(rule);
    Ok(shown(&shared))
}

async fn list(shared: Data<Shared>) -> HttpResponse {
    shown(&shared)
}

async fn clear(shared: Data<Shared>) -> HttpResponse {
    lock(&shared.faults).replace(Vec::new());
    shown(&shared)
}

fn shown(shared: &Shared) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "rules": lock(&shared.faults).rules() }))
}
