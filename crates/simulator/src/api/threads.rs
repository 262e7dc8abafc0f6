//! `/v1/sessions/{id}/threads`: list, retrieve, archive, and one thread's events.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, ServiceConfig, get, post},
};
use serde_json::Value;

use crate::{
    api::{
        answer::{Prev, page_body},
        events,
        query::Params,
    },
    clock::now,
    lock::lock,
    shared::Shared,
    world::{Refusal, Session},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/sessions/{session_id}/threads", get().to(list))
        .route("/sessions/{session_id}/threads/{thread_id}", get().to(retrieve))
        .route("/sessions/{session_id}/threads/{thread_id}/archive", post().to(archive))
        .route("/sessions/{session_id}/threads/{thread_id}/events", get().to(list_events));
}

async fn list(shared: Data<Shared>, id: Path<String>, req: HttpRequest) -> Result<HttpResponse, Refusal> {
    let params = Params::parse(req.query_string(), &["statuses[]", "limit", "page"])?;
    let request = params.page_request(&format!("threads {id}"), &events::PAGING)?;
    let page = lock(&shared.world).session(&id)?.list_threads(&params.many("statuses[]"), &request)?;
    Ok(page_body(page, Prev::Absent))
}

async fn retrieve(shared: Data<Shared>, ids: Path<(String, String)>) -> Result<HttpResponse, Refusal> {
    let (session, thread) = ids.into_inner();
    let found = thread_value(lock(&shared.world).session(&session)?, &thread)?;
    Ok(HttpResponse::Ok().json(found))
}

async fn archive(shared: Data<Shared>, ids: Path<(String, String)>) -> Result<HttpResponse, Refusal> {
    let (session, thread) = ids.into_inner();
    let (archived, notices) = lock(&shared.world).change(&session, now(), |session, stamp| {
        let notices = session.archive_child(&thread, stamp)?;
        Ok((thread_value(session, &thread)?, notices))
    })?;
    shared.announce(&notices);
    Ok(HttpResponse::Ok().json(archived))
}

async fn list_events(
    shared: Data<Shared>,
    ids: Path<(String, String)>,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (session, thread) = ids.into_inner();
    let params = Params::parse(req.query_string(), &["limit", "page"])?;
    let request = params.page_request(&format!("events {session} {thread}"), &events::PAGING)?;
    let mut world = lock(&shared.world);
    let session = world.session(&session)?;
    thread_value(session, &thread)?;
    Ok(page_body(session.list_events(Some(&thread), &[], &request)?, Prev::Absent))
}

fn thread_value(session: &Session, id: &str) -> Result<Value, Refusal> {
    session.thread(id).map(crate::world::Thread::to_value).ok_or(Refusal::NotFound { what: "thread" })
}
