//! Starting lives and watching them.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path, ServiceConfig, get, post},
};

use crate::{
    control::parsed,
    lives::{self, LiveOrder},
    lock::lock,
    shared::Shared,
    world::Refusal,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/lives", post().to(start)).route("/lives/{id}", get().to(progress));
}

async fn start(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let order: LiveOrder = parsed(&body)?;
    if !order.is_sane() {
        return Err(Refusal::invalid(
            "lives: shares between 0 and 1, up to 100,000 sessions and resources, 1 to 1000 turns",
        ));
    }
    Ok(HttpResponse::Accepted().json(lives::start(&shared, order)))
}

async fn progress(shared: Data<Shared>, id: Path<u64>) -> Result<HttpResponse, Refusal> {
    let lives = lock(&shared.lives).get(*id).ok_or(Refusal::NotFound { what: "lives" })?;
    let progress = lock(&lives).clone();
    Ok(HttpResponse::Ok().json(progress))
}
