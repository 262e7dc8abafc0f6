//! 429 for calls beyond the limit, with the seconds until the next one is let through.

use std::time::Instant;

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use crate::{api::answer::error_body, lock::lock, shared::Shared};

/// Lets a call pass or tells when to come back.
pub(crate) async fn throttle(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let shared = req.app_data::<Data<Shared>>().cloned();
    let taken = shared.map_or(Ok(()), |shared| lock(&shared.limit).take(Instant::now()));
    let Err(wait) = taken else { return Ok(next.call(req).await?.map_into_boxed_body()) };
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let body = error_body(429, "this organization has used up its requests per minute", None, None);
    let answer =
        HttpResponse::TooManyRequests().insert_header(("retry-after", seconds.max(1).to_string())).json(body);
    Ok(req.into_response(answer))
}
