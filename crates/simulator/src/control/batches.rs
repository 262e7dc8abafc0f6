//! Starting batches and watching them.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path, ServiceConfig, get, post},
};

use crate::{
    batch::{self, SendOrder},
    control::parsed,
    lock::lock,
    shared::Shared,
    world::Refusal,
};

/// More than this at once is a mistake rather than a wish.
const MAX_EVENTS: usize = 5_000_000;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/send", post().to(start)).route("/send/{batch_id}", get().to(progress));
}

async fn start(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let order: SendOrder = parsed(&body)?;
    let sane = (0.0..=1e6).contains(&order.duplicates)
        && order.rate.is_none_or(|rate| rate > 0.0)
        && (0.0..=1.0).contains(&order.drop);
    let counts =
        [order.count, order.stale, order.bad_signatures, order.dropped, order.concurrency, order.sessions];
    if !sane || counts.into_iter().any(|count| count > MAX_EVENTS) {
        return Err(Refusal::invalid(
            "send: counts up to 5 million, a rate above 0, duplicates up to a million, drop 0 to 1",
        ));
    }
    Ok(HttpResponse::Accepted().json(batch::start(&shared, &order)))
}

async fn progress(shared: Data<Shared>, id: Path<u64>) -> Result<HttpResponse, Refusal> {
    let batch = lock(&shared.batches).get(*id).ok_or(Refusal::NotFound { what: "batch" })?;
    let progress = lock(&batch).clone();
    Ok(HttpResponse::Ok().json(progress))
}
