//! Putting sessions and raw stream events in place.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path, ServiceConfig, get, post, put},
};
use serde_json::{Value, json};

use crate::{
    api::body_object,
    clock::now,
    lock::lock,
    shared::Shared,
    world::{Object, Refusal, object},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/sessions/{session_id}", put().to(put_session))
        .route("/sessions/{session_id}", get().to(show))
        .route("/sessions/{session_id}/events", post().to(append));
}

/// Puts a session, replacing one with this id: the given members over the defaults.
async fn put_session(shared: Data<Shared>, id: Path<String>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let given = body_object(&body)?;
    let session = Value::Object(lock(&shared.world).put(Some(&id), given, now()).object.clone());
    Ok(HttpResponse::Ok().json(session))
}

/// The true state with everything below it, without lag, faults or counting.
async fn show(shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Refusal> {
    let mut world = lock(&shared.world);
    let session = world.session(&id)?;
    let events: Vec<&Object> = session.events.iter().map(AsRef::as_ref).collect();
    let threads: Vec<_> = session.threads.iter().map(crate::world::Thread::to_value).collect();
    Ok(HttpResponse::Ok().json(json!({
        "session": session.object, "events": events, "threads": threads, "blocking": session.blocking,
    })))
}

/// Appends raw events (`{"events": […]}`); the session's state follows from them, no webhook is sent.
async fn append(shared: Data<Shared>, id: Path<String>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let Some(Value::Array(events)) = body_object(&body)?.remove("events") else {
        return Err(Refusal::invalid("events: a list is required"));
    };
    let appended = lock(&shared.world).change(&id, now(), |session, stamp| {
        let mut appended = Vec::new();
        for given in events {
            let given: Object = object(given);
            let kind = crate::world::text(&given, "type").to_owned();
            let mut event = stamp.event(&kind, json!({}));
            event.extend(given); // a given id or time wins
            session.record(event.clone(), stamp.now);
            appended.push(event);
        }
        Ok(appended)
    })?;
    Ok(HttpResponse::Ok().json(json!({ "data": appended })))
}
