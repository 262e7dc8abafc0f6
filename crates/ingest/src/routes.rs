//! The public listener: two paths, one method.

use crate::answer::{self, rejected};
use crate::body::{self, Unread};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::EndpointName;
use ops::Metrics;
use ops::receive::{Delivery, Receiver};
use runtime::Shutdown;
use signing::Headers;
use telemetry::TraceContext;
use tracing::{Instrument, Span};

/// What the handlers share.
pub(crate) struct Shared {
    pub(crate) receiver: Receiver,
    pub(crate) metrics: Metrics,
    pub(crate) body_limit: usize,
    pub(crate) shutdown: Shutdown,
    /// Whether spans go anywhere. Without, a delivery has its place in a trace all the same, but no span: that would be
    /// a quarter of what receiving it costs.
    pub(crate) traced: bool,
}

/// The routes. Everything else, a trailing slash included, is a 404 in JSON.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    // Ahead of the pattern, and each on its own: a path that is compared costs a tenth of one that is matched.
    for path in ["/webhooks/default", "/claude-webhook"] {
        config.service(
            web::resource(path)
                .route(web::post().to(default_endpoint))
                .default_service(web::to(wrong_method)),
        );
    }
    config
        .service(
            web::resource("/webhooks/{endpoint}")
                .route(web::post().to(named_endpoint))
                .default_service(web::to(wrong_method)),
        )
        .default_service(web::to(unknown_path));
}

async fn named_endpoint(
    name: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    match EndpointName::new(name.into_inner()) {
        // Written in another way, with escapes.
        Ok(endpoint) if endpoint == EndpointName::default_endpoint() => {
            receive(endpoint, request, payload, shared).await
        }
        Ok(_) | Err(_) => rejected(
            StatusCode::NOT_FOUND,
            "unknown_endpoint",
            "there is no endpoint of this name; the one that always exists is /webhooks/default",
        ),
    }
}

async fn default_endpoint(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    receive(EndpointName::default_endpoint(), request, payload, shared).await
}

async fn receive(
    endpoint: EndpointName,
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let parent = header(&request, "traceparent");
    let span = if shared.traced {
        let span = tracing::info_span!("ingest.delivery.receive", endpoint = %endpoint);
        TraceContext::continue_from(&span, parent);
        span
    } else {
        Span::none()
    };
    let mut response = async {
        let body = match body::read(&request, payload, shared.body_limit).await {
            Ok(body) => body,
            Err(unread) => {
                shared.metrics.count_delivery(unread.reason());
                // A body that is slow or breaks off may be anybody's; the sender's own are too long now and then.
                if unread == Unread::TooLarge {
                    shared.receiver.note_unread(&endpoint, unread.reason());
                }
                return unread_body(unread, shared.body_limit);
            }
        };
        let trace = if shared.traced { TraceContext::current() } else { TraceContext::unrecorded(parent) };
        let delivery = Delivery {
            endpoint,
            headers: Headers::from_lookup(|name| header(&request, name)),
            content_type: header(&request, CONTENT_TYPE.as_str()),
            body,
            traceparent: Some(trace.to_string()),
        };
        answer::of(shared.receiver.receive(delivery).await)
    }
    .instrument(span)
    .await;
    if shared.shutdown.has_begun() {
        // Keep-alive would hold the sender to a process that is about to go.
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    response
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn unread_body(unread: Unread, limit: usize) -> HttpResponse {
    tracing::warn!(?unread, limit_bytes = limit, "body not read");
    match unread {
        Unread::TooLarge => rejected(
            StatusCode::PAYLOAD_TOO_LARGE,
            unread.reason(),
            &format!(
                "the body is longer than {limit} bytes; --body-limit (HOLDFAST_BODY_LIMIT) sets the limit"
            ),
        ),
        Unread::TooSlow => {
            rejected(StatusCode::REQUEST_TIMEOUT, unread.reason(), "the body took too long to arrive")
        }
        Unread::Broken => rejected(StatusCode::BAD_REQUEST, unread.reason(), "the body broke off"),
    }
}

async fn wrong_method() -> HttpResponse {
    rejected(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "webhooks are delivered by POST")
}

async fn unknown_path() -> HttpResponse {
    rejected(
        StatusCode::NOT_FOUND,
        "unknown_path",
        "nothing is here; webhooks go to POST /webhooks/default or POST /claude-webhook",
    )
}
