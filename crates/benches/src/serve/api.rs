//! Just enough of the Claude API for a worker: every session exists, and runs until now. Counts its requests.

use actix_web::web::{Data, Path};
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Result;
use chrono::SecondsFormat;
use domain::Clock as _;
use runtime::SystemClock;
use serde_json::json;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Default)]
struct Shared {
    latency: Duration,
    requests: AtomicU64,
}

pub(super) async fn serve(listener: TcpListener, latency: Duration) -> Result<()> {
    let shared = Data::new(Shared { latency, requests: AtomicU64::new(0) });
    HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .route("/ready", web::get().to(HttpResponse::Ok))
            .route("/requests", web::get().to(requests))
            .route("/v1/sessions/{id}", web::get().to(session))
    })
    .workers(1)
    .listen(listener)?
    .run()
    .await?;
    Ok(())
}

async fn requests(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.requests.load(Ordering::Relaxed))
}

async fn session(id: Path<String>, shared: Data<Shared>) -> HttpResponse {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    HttpResponse::Ok().json(json!({
        "type": "session",
        "id": id.as_str(),
        "status": "running",
        "title": "Triage the inbox",
        "agent": {"type": "agent", "id": "agent_01BenchAgent00000000001", "version": 3, "name": "Triage"},
        "environment_id": "env_01BenchEnvironment00001",
        "metadata": {"ticket": "4711"},
        "resources": [],
        "vault_ids": [],
        "archived_at": null,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "updated_at": SystemClock.now().to_rfc3339_opts(SecondsFormat::Micros, true),
    }))
}
