//! A request id for every answer, and the counting of calls.

use actix_web::{
    Error, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};

use crate::{api::answer::error_body, lock::lock, shared::Shared, world::Refusal};

/// Runs the call, counts it and puts `request-id` on the answer, also into the body of an error.
pub(crate) async fn trace(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kind = format!("{} {}", req.method(), req.match_pattern().unwrap_or_else(|| "unknown".into()));
    let path = req.path().to_owned();
    let shared = req.app_data::<Data<Shared>>().cloned();
    let request_id =
        shared.as_ref().map_or_else(String::new, |shared| lock(&shared.calls).begin(&kind, &path));
    let answered = next.call(req).await?.map_into_boxed_body();
    let mut answered = match answered.response().error().and_then(|error| error.as_error::<Refusal>()) {
        None => answered,
        Some(refusal) => {
            let status = refusal.status_code();
            let body = error_body(status.as_u16(), &refusal.to_string(), refusal.code(), Some(&request_id));
            answered.into_response(HttpResponse::build(status).json(body))
        }
    };
    let status = answered.status().as_u16();
    if let Some(shared) = shared {
        lock(&shared.calls).end(status);
    }
    tracing::debug!(http.call = kind, http.path = path, http.status = status, "api call");
    let headers = answered.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("request-id"), value);
    }
    let organization = HeaderValue::from_static(crate::webhook::ORGANIZATION);
    headers.insert(HeaderName::from_static("anthropic-organization-id"), organization);
    Ok(answered)
}
