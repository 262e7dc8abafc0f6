//! The Claude API, as far as it is simulated. Each resource is a file with its calls and its routes.

mod answer;
mod beta;
mod events;
mod guard;
mod query;
mod resources;
mod sessions;
mod special;
mod threads;
mod throttle;
mod trace;

pub(crate) use self::answer::{body_object, error_body};

use actix_web::{Responder, middleware::from_fn, web};

use crate::{
    faults,
    world::{Kind, Refusal},
};

/// Mounts everything under `/v1`. From outside in: give a request id and count, limit, inject faults, check headers, answer.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/v1")
            .wrap(from_fn(guard::check))
            .wrap(from_fn(faults::inject))
            .wrap(from_fn(throttle::throttle))
            .wrap(from_fn(trace::trace))
            .configure(sessions::routes)
            .configure(events::routes)
            .configure(threads::routes)
            .configure(catalog)
            .configure(special::routes)
            .default_service(web::to(unknown)),
    );
}

fn catalog(config: &mut web::ServiceConfig) {
    for kind in Kind::ALL {
        resources::routes(kind, config);
    }
}

async fn unknown() -> impl Responder {
    Err::<&'static str, _>(Refusal::NotFound { what: "resource" })
}
