//! What is true, for comparing a receiver with; and putting resources in place.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path, ServiceConfig, get, put},
};

use crate::{
    api::body_object,
    clock::now,
    lock::lock,
    shared::Shared,
    world::{Kind, Refusal},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/resources", get().to(resources))
        .route("/resources/{type}/{id}", put().to(put_resource))
        .route("/validations/{credential_id}", put().to(script_validation))
        .route("/replies", get().to(replies));
}

async fn resources(shared: Data<Shared>) -> HttpResponse {
    let rows = lock(&shared.world).every_resource();
    HttpResponse::Ok().json(rows)
}

async fn replies(shared: Data<Shared>) -> HttpResponse {
    let rows = lock(&shared.world).every_reply();
    HttpResponse::Ok().json(rows)
}

/// Puts a resource, replacing one with this id: the given members over those of a plausible one. Nothing is sent.
async fn put_resource(
    shared: Data<Shared>,
    path: Path<(String, String)>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let (kind, id) = path.into_inner();
    let kind = Kind::named(&kind).ok_or_else(|| Refusal::invalid(format!("{kind}: no such kind")))?;
    let placed = lock(&shared.world).put_resource(kind, &id, body_object(&body)?, now());
    Ok(HttpResponse::Ok().json(placed))
}

/// What the validation of a credential answers from now on, over the defaults.
async fn script_validation(
    shared: Data<Shared>,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let answer = body_object(&body)?;
    lock(&shared.world).script_validation(&id, answer.clone())?;
    Ok(HttpResponse::Ok().json(answer))
}
