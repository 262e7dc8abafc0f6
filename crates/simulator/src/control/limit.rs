//! Setting the limit on API calls.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, ServiceConfig, put},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    control::parsed,
    limit::{Limit, WINDOW},
    lock::lock,
    shared::Shared,
    world::Refusal,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/limit", put().to(change));
}

/// A new limit; the count begins anew.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Calls per window; null for no limit.
    requests_per_minute: Option<usize>,
    /// Another window than a minute.
    window_ms: Option<u64>,
}

async fn change(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let change: Change = parsed(&body)?;
    let mut limit = Limit::new(change.requests_per_minute);
    limit.window = change.window_ms.map_or(WINDOW, Duration::from_millis);
    *lock(&shared.limit) = limit;
    Ok(HttpResponse::Ok().json(json!({ "requests_per_minute": change.requests_per_minute })))
}
