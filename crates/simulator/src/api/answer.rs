//! Refusals as HTTP: status and the error body every client sees.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde_json::{Value, json};

use crate::world::{Object, Page, Refusal, object};

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } | Self::Coded { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Conflict { .. } => StatusCode::CONFLICT,
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// The body still lacks the request id, which only `trace` knows.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status()).json(error_body(
            self.status().as_u16(),
            &self.to_string(),
            self.code(),
            None,
        ))
    }
}

/// The body of every error answer.
pub(crate) fn error_body(status: u16, message: &str, code: Option<&str>, request_id: Option<&str>) -> Value {
    let mut error = object(json!({ "type": error_type(status), "message": message }));
    if let Some(code) = code {
        error.insert("details".into(), json!({ "error_code": code }));
    }
    json!({ "type": "error", "error": error, "request_id": request_id })
}

/// The platform's error type for a status.
fn error_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// A list answer. Only the session list knows `prev_page`.
pub(crate) fn page_body(page: Page<Value>, prev: Prev) -> HttpResponse {
    let mut body = object(json!({ "data": page.items, "next_page": page.next }));
    if prev == Prev::Shown {
        body.insert("prev_page".into(), page.prev.into());
    }
    HttpResponse::Ok().json(body)
}

/// Whether a list tells the way back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prev {
    Shown,
    Absent,
}

/// A JSON object from a request body; an empty body counts as an empty object.
pub(crate) fn body_object(body: &[u8]) -> Result<Object, Refusal> {
    if body.is_empty() {
        return Ok(Object::new());
    }
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(format!("body: {error}")))
}
