//! `/v1/sessions`: create, list, retrieve, update, archive, delete.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Path, ServiceConfig, delete, get, post},
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
    world::{Notice, Order, Refusal, Session, SessionFilter, Stamp},
};

const PAGING: Paging = Paging { order: Order::Desc, default_limit: 20, max_limit: 1000 };

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/sessions", post().to(create))
        .route("/sessions", get().to(list))
        .route("/sessions/{session_id}", get().to(retrieve))
        .route("/sessions/{session_id}", post().to(update))
        .route("/sessions/{session_id}", delete().to(remove))
        .route("/sessions/{session_id}/archive", post().to(archive));
}

async fn create(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let given = body_object(&body)?;
    let (session, notices) = lock(&shared.world).create(given, now())?;
    shared.announce(&notices);
    Ok(HttpResponse::Ok().json(session))
}

async fn list(shared: Data<Shared>, req: HttpRequest) -> Result<HttpResponse, Refusal> {
    let params = Params::parse(
        req.query_string(),
        &[
            "agent_id",
            "agent_version",
            "deployment_id",
            "memory_store_id",
            "statuses[]",
            "created_at",
            "include_archived",
            "order",
            "limit",
            "page",
        ],
    )?;
    let filter = SessionFilter {
        statuses: params.many("statuses[]"),
        agent_id: params.one("agent_id").map(str::to_owned),
        agent_version: params.parsed("agent_version")?,
        deployment_id: params.one("deployment_id").map(str::to_owned),
        memory_store_id: params.one("memory_store_id").map(str::to_owned),
        include_archived: params.parsed("include_archived")?.unwrap_or(false),
    };
    let page = lock(&shared.world).list_sessions(&filter, &params.page_request("sessions", &PAGING)?)?;
    Ok(page_body(page, Prev::Shown))
}

async fn retrieve(shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Refusal> {
    let session = lock(&shared.world).session(&id)?.read();
    Ok(HttpResponse::Ok().json(session))
}

async fn update(shared: Data<Shared>, id: Path<String>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let given = body_object(&body)?;
    changed(&shared, &id, |session, stamp| session.update(given, stamp))
}

async fn archive(shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Refusal> {
    changed(&shared, &id, Session::archive)
}

async fn remove(shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Refusal> {
    let notices = lock(&shared.world).delete(&id, now())?;
    shared.announce(&notices);
    Ok(HttpResponse::Ok().json(json!({ "id": *id, "type": "session_deleted" })))
}

/// Changes a session, sends the webhooks and answers the session.
fn changed(
    shared: &Data<Shared>,
    id: &str,
    change: impl FnOnce(&mut Session, &mut Stamp<'_>) -> Result<Vec<Notice>, Refusal>,
) -> Result<HttpResponse, Refusal> {
    let (session, notices) = lock(&shared.world).change(id, now(), |session, stamp| {
        let notices = change(session, stamp)?;
        Ok((Value::Object(session.object.clone()), notices))
    })?;
    shared.announce(&notices);
    Ok(HttpResponse::Ok().json(session))
}
