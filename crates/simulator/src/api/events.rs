//! `/v1/sessions/{id}/events`: list and send.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Path, ServiceConfig, get, post},
};
use serde_json::{Value, json};

use crate::{
    api::{
        answer::{Prev, body_object, page_body},
        query::{Paging, Params},
    },
    clock::now,
    lock::lock,
    shared::Shared,
    world::{Order, Refusal, object},
};

pub(crate) const PAGING: Paging = Paging { order: Order::Asc, default_limit: 1000, max_limit: 1000 };

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/sessions/{session_id}/events", get().to(list))
        .route("/sessions/{session_id}/events", post().to(send));
}

async fn list(shared: Data<Shared>, id: Path<String>, req: HttpRequest) -> Result<HttpResponse, Refusal> {
    let params = Params::parse(req.query_string(), &["types[]", "created_at", "order", "limit", "page"])?;
    let request = params.page_request(&format!("events {id}"), &PAGING)?;
    let page = lock(&shared.world).session(&id)?.list_events(None, &params.many("types[]"), &request)?;
    Ok(page_body(page, Prev::Absent))
}

async fn send(shared: Data<Shared>, id: Path<String>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let Some(Value::Array(events)) = body_object(&body)?.remove("events") else {
        return Err(Refusal::invalid("events: a list is required"));
    };
    let events: Vec<_> = events.into_iter().map(object).collect();
    let (echoes, notices) = lock(&shared.world).receive(&id, &events, now())?;
    shared.announce(&notices);
    Ok(HttpResponse::Ok().json(json!({ "data": echoes })))
}
