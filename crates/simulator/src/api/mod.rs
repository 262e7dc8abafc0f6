//! The Claude API, as far as it is simulated. Each resource is a file with its calls and its routes.

mod answer;
mod beta;
mod events;
mod guard;
mod query;
mod sessions;
mod threads;
mod trace;

pub(crate) use self::answer::{body_object, error_body};

use actix_web::{Responder, middleware::from_fn, web};

use crate::{faults, world::Refusal};

/// Mounts everything under `/v1`. From outside in: give a request id and count, inject faults, check headers, answer.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/v1")
            .wrap(from_fn(guard::check))
            .wrap(from_fn(faults::inject))
            .wrap(from_fn(trace::trace))
            .configure(sessions::routes)
            .configure(events::routes)
            .configure(threads::routes)
            .default_service(web::to(unknown)),
    );
}

async fn unknown() -> impl Responder {
    Err::<&'static str, _>(Refusal::NotFound { what: "resource" })
}
