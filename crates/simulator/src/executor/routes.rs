//! The executor over HTTP: alone at every path, or below `/_sim/executor`.

use std::sync::Mutex;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Bytes, Data, ServiceConfig},
};
use serde_json::json;
use signing::{DEFAULT_TOLERANCE_SECONDS, Headers, Schemes};

use crate::{
    clock::now,
    executor::{Executor, Reply, Request},
    lock::lock,
    shared::Shared,
};

/// An executor of its own: `POST` to any path, `GET /` shows the counts.
pub(crate) fn alone(config: &mut ServiceConfig) {
    config
        .route("/livez", web::get().to(async || HttpResponse::Ok().body("ok\n")))
        .route("/", web::get().to(async |executor: Data<Mutex<Executor>>| shown(&executor)))
        .default_service(web::post().to(
            async |executor: Data<Mutex<Executor>>, req: HttpRequest, body: Bytes| {
                execute(&executor, &req, &body).await
            },
        ));
}

/// The one that every simulator has.
pub(crate) fn mounted(config: &mut ServiceConfig) {
    config.route("/executor", web::get().to(async |shared: Data<Shared>| shown(&shared.executor))).route(
        "/executor",
        web::post().to(async |shared: Data<Shared>, req: HttpRequest, body: Bytes| {
            execute(&shared.executor, &req, &body).await
        }),
    );
}

fn shown(executor: &Mutex<Executor>) -> HttpResponse {
    HttpResponse::Ok().json(lock(executor).shown())
}

async fn execute(executor: &Mutex<Executor>, req: &HttpRequest, body: &[u8]) -> HttpResponse {
    let (reply, delay) = {
        let mut executor = lock(executor);
        let reply = match admit(&executor, req, body) {
            Ok(request) => executor.carry_out(&request),
            Err(reply) => {
                executor.rejected += 1;
                reply
            }
        };
        (reply, executor.behaviour.delay)
    };
    tokio::time::sleep(delay).await;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).json(reply.body)
}

/// The signature first, over the bytes as they came; only then the JSON.
fn admit(executor: &Executor, req: &HttpRequest, body: &[u8]) -> Result<Request, Reply> {
    if let Some(secret) = executor.behaviour.secret.clone() {
        let header = |name: &str| req.headers().get(name).and_then(|value| value.to_str().ok());
        signing::verify(
            &Headers::from_lookup(header),
            body,
            &[secret],
            now().timestamp(),
            DEFAULT_TOLERANCE_SECONDS,
            Schemes::Standard,
        )
        .map_err(|rejection| Reply { status: 401, body: json!({ "error": rejection.to_string() }) })?;
    }
    let request: Request = serde_json::from_slice(body)
        .map_err(|error| Reply { status: 400, body: json!({ "error": error.to_string() }) })?;
    if request.kind == "tool_call" {
        Ok(request)
    } else {
        Err(Reply { status: 400, body: json!({ "error": "type: tool_call is expected" }) })
    }
}
