//! A server that gives scripted answers and remembers what it was asked.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use claude::{Auth, Client, Config, Key, RetryPolicy};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) const KEY: &str = "sk-ant-api-very-secret";

/// What the server says, once.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    end: End,
}

/// What follows the bytes of a body.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum End {
    /// Nothing: the body is complete.
    #[default]
    Complete,
    /// Nothing either, but the length was not announced (chunked encoding).
    Unannounced,
    /// The connection ends although a longer body was announced.
    CutOff,
    /// Silence, although a longer body was announced.
    Hang,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into(), ..Self::default() }.header("content-type", "application/json")
    }

    pub(crate) fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200, body)
    }

    /// A refusal in the platform's form.
    pub(crate) fn error(status: u16, kind: &str) -> Self {
        let body = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"No, {kind}."}}}}"#);
        Self::new(status, body).header("request-id", "req_of_the_refusal")
    }

    /// Adds a header; a later value replaces an earlier one.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    fn response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::IM_A_TEAPOT);
        let mut response = HttpResponse::build(status);
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        response.body(BoxBody::new(Script { bytes: Some(self.body), end: self.end, paused: false }))
    }
}

struct Script {
    bytes: Option<Bytes>,
    end: End,
    paused: bool,
}

impl MessageBody for Script {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        let here = self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match self.end {
            End::Complete => BodySize::Sized(here),
            End::Unannounced => BodySize::Stream,
            End::CutOff | End::Hang => BodySize::Sized(here + 1000),
        }
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        match (self.bytes.take().filter(|bytes| !bytes.is_empty()), self.end) {
            (Some(bytes), _) => Poll::Ready(Some(Ok(bytes))),
            // actix throws away what it has not yet written when a body ends too early. A pause makes it write.
            (None, End::CutOff) if !self.paused => {
                self.paused = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (None, End::Complete | End::Unannounced | End::CutOff) => Poll::Ready(None),
            // Nobody wakes it: the client gives up first, and its leaving drops this body.
            (None, End::Hang) => Poll::Pending,
        }
    }
}

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query as they were on the wire.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
}

/// A running server; it stops when it is dropped.
pub(crate) struct Fake {
    state: Arc<State>,
    handle: ServerHandle,
    pub(crate) url: String,
}

impl Fake {
    /// Starts a server that gives these answers in this order, and 418 when it has none left.
    pub(crate) fn start(script: impl IntoIterator<Item = Reply>) -> anyhow::Result<Self> {
        let state = Arc::new(State { script: Mutex::new(script.into_iter().collect()), ..State::default() });
        let shared = Arc::clone(&state);
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::from(Arc::clone(&shared))).default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let address = server.addrs().first().copied().ok_or_else(|| anyhow::anyhow!("no address"))?;
        let server = server.run();
        let handle = server.handle();
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test's runtime")]
        tokio::spawn(server);
        Ok(Self { state, handle, url: format!("http://{address}") })
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }

    /// Path and query of every request so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }

    /// A client of this server that hardly waits.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(config(&self.url))?)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // The command is sent here; only waiting for it to be carried out is left out.
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, state: web::Data<State>) -> HttpResponse {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let asked = Asked {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        headers: request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect(),
        body: text(&body),
    };
    if let Ok(mut all) = state.asked.lock() {
        all.push(asked);
    }
    let reply = state.script.lock().ok().and_then(|mut script| script.pop_front());
    reply.unwrap_or_else(|| Reply::new(418, "")).response()
}

/// The defaults, but with waits of milliseconds.
pub(crate) fn config(base_url: &str) -> Config {
    Config {
        base_url: base_url.to_owned(),
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(5),
        total_timeout: Duration::from_secs(5),
        retry: RetryPolicy { first_wait: Duration::from_millis(1), ..RetryPolicy::default() },
        max_body_bytes: 100_000,
        ..Config::new(Auth::ApiKeyHeader(Key::new(KEY)), noon, || 0.5)
    }
}

/// Noon of a day in 2026, always.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_785_499_200, 0).unwrap_or_default()
}

/// An idle session of this id, with little else.
pub(crate) fn session(id: &str) -> String {
    format!(r#"{{"type":"session","id":"{id}","status":"idle"}}"#)
}
