//! An API that knows a few objects by their paths, and remembers what it was asked.

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct State {
    objects: Mutex<HashMap<String, (u16, Value)>>,
    asked: Mutex<Vec<String>>,
}

/// A running API; it stops when it is dropped.
pub(super) struct Api {
    state: Arc<State>,
    handle: ServerHandle,
    url: String,
}

impl Api {
    pub(super) fn start() -> Result<Self> {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::from(Arc::clone(&shared))).default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let address = server.addrs().first().copied().context("no address")?;
        let server = server.run();
        let handle = server.handle();
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test's runtime")]
        tokio::spawn(server);
        Ok(Self { state, handle, url: format!("http://{address}") })
    }

    pub(super) fn client(&self) -> Result<claude::Client> {
        crate::bench::client_of(self.url.clone(), None)
    }

    /// What a request (`GET /v1/…`) is answered from now on.
    pub(super) fn put(&self, request: &str, status: u16, object: Value) {
        self.state.objects.lock().unwrap().insert(request.to_owned(), (status, object));
    }

    /// What was asked about resources whose path has this in it, in order.
    pub(super) fn asked(&self, about: &str) -> Vec<String> {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|request| request.split('/').any(|part| part == about)).cloned().collect()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let asked = format!("{} {}", request.method(), request.path());
    let found = state.objects.lock().unwrap().get(&asked).cloned();
    state.asked.lock().unwrap().push(asked);
    let missing = json!({ "type": "error", "error": { "type": "not_found_error", "message": "Not here." } });
    let (status, object) = found.unwrap_or((404, missing));
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    HttpResponse::build(status).json(object)
}
