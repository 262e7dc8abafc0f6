//! What a sender is told. Never a redirect: one 3xx and the platform disables the endpoint.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use ops::accept::{Acceptance, NotAccepted};
use ops::receive::Refusal;
use serde::Serialize;

/// How long a sender is asked to wait after a 503, in seconds. The platform comes back after 5 s at the earliest.
const RETRY_AFTER_SECONDS: &str = "5";

#[derive(Serialize)]
struct Rejected<'a> {
    status: &'static str,
    reason: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Taken {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// The answer to a delivery that was received, or not.
pub(crate) fn of(outcome: Result<Acceptance, Refusal>) -> HttpResponse {
    match outcome {
        Ok(Acceptance::New) => HttpResponse::Ok().json(Taken { status: "success", message: None }),
        Ok(Acceptance::Duplicate) => {
            HttpResponse::Ok().json(Taken { status: "skipped", message: Some("Already processed") })
        }
        Err(refusal) => {
            let status = match &refusal {
                Refusal::Signature(_) | Refusal::NotAnEvent(_) => StatusCode::BAD_REQUEST,
                Refusal::NotAccepted(NotAccepted::Overloaded | NotAccepted::Unavailable) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            };
            rejected(status, refusal.code(), &refusal.to_string())
        }
    }
}

/// An answer that says why not.
pub(crate) fn rejected(status: StatusCode, reason: &str, message: &str) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.insert_header((ALLOW, "POST"));
    }
    response.json(Rejected { status: "error", reason, message })
}
