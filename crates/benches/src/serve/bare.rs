//! The ceiling: actix-web, a signature, an answer.

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use domain::Clock as _;
use runtime::SystemClock;
use signing::{DEFAULT_TOLERANCE_SECONDS, Headers, Schemes, Secret};
use std::net::TcpListener;

pub(super) async fn serve(listener: TcpListener, secret: &str) -> Result<()> {
    let secret = Data::new(Secret::parse(secret).context("--secret")?);
    HttpServer::new(move || {
        App::new()
            .app_data(secret.clone())
            .route("/ready", web::get().to(HttpResponse::Ok))
            .route("/webhooks/default", web::post().to(receive))
    })
    .listen(listener)?
    .run()
    .await?;
    Ok(())
}

async fn receive(request: HttpRequest, body: Bytes, secret: Data<Secret>) -> HttpResponse {
    if verified(&request, &body, &secret) {
        HttpResponse::Ok().json(serde_json::json!({"status": "success"}))
    } else {
        HttpResponse::BadRequest().finish()
    }
}

/// Whether the delivery is authentic.
pub(super) fn verified(request: &HttpRequest, body: &[u8], secret: &Secret) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    signing::verify(
        &Headers::from_lookup(header),
        body,
        std::slice::from_ref(secret),
        SystemClock.now().timestamp(),
        DEFAULT_TOLERANCE_SECONDS,
        Schemes::All,
    )
    .is_ok()
}
