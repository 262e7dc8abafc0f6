//! A webhook receiver that keeps what it gets and answers as told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Bytes, Data},
};
use serde_json::Value;
use signing::{Headers, Rejection, Schemes, Secret, Verified};

use crate::lab::SIGNING_KEY;

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) verified: Result<Verified, Rejection>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Desk {
    received: Vec<Received>,
    /// Statuses of the next answers; when there are none left, 200 or, unless verified, 400.
    answers: VecDeque<u16>,
    seen: std::collections::BTreeSet<String>,
}

/// A receiver on a free port.
pub(crate) struct Receiver {
    address: std::net::SocketAddr,
    desk: Arc<Mutex<Desk>>,
    server: ServerHandle,
}

impl Receiver {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's server has no tracker; it stops with the receiver"
    )]
    pub(crate) fn start(answers: &[u16]) -> Self {
        let answers = answers.iter().copied().collect();
        let desk = Arc::new(Mutex::new(Desk { answers, ..Desk::default() }));
        let data = Data::from(Arc::clone(&desk));
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(receive)))
                .workers(1)
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, desk, server: handle }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhooks/default", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.desk.lock().unwrap().received.clone()
    }

    pub(crate) fn types(&self) -> Vec<String> {
        let received = self.received();
        received.iter().map(|one| one.json()["data"]["type"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn receive(desk: Data<Mutex<Desk>>, req: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name: &str| req.headers().get(name).and_then(|value| value.to_str().ok());
    let secrets = [Secret::parse(SIGNING_KEY).unwrap()];
    let verified =
        signing::verify(&Headers::from_lookup(header), &body, &secrets, unix_seconds(), 300, Schemes::All);
    let headers = req.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let id = header("webhook-id").unwrap_or_default().to_owned();
    let mut desk = desk.lock().unwrap();
    let status = desk.answers.pop_front().unwrap_or(if verified.is_ok() { 200 } else { 400 });
    desk.received.push(Received { headers, body, verified });
    let known = status == 200 && !desk.seen.insert(id);
    let said = if known { "skipped" } else { "success" };
    let mut answer = HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap());
    answer.insert_header(("location", "/elsewhere")).json(serde_json::json!({ "status": said }))
}

#[expect(clippy::disallowed_methods, reason = "the receiver checks real freshness")]
pub(crate) fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
