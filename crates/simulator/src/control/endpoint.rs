//! Setting and showing the webhook endpoint.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, ServiceConfig, get, put},
};
use serde::Deserialize;
use serde_json::json;
use signing::Secret;

use crate::{control::parsed, lock::lock, shared::Shared, webhook::DeliveryOptions, world::Refusal};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/endpoint", put().to(change)).route("/endpoint", get().to(show));
}

/// What is to change; absent members stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    url: Option<String>,
    signing_key: Option<String>,
    types: Option<Vec<String>>,
    options: Option<DeliveryOptions>,
    /// How long all attempts may fail before the endpoint is disabled; for ever unless given.
    disable_after_ms: Option<u64>,
    /// True makes a disabled endpoint work again; events emitted meanwhile are not sent later.
    enabled: Option<bool>,
}

async fn change(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let change: Change = parsed(&body)?;
    let secret = change.signing_key.as_deref().map(Secret::parse).transpose();
    let secret = secret.map_err(|error| Refusal::invalid(format!("signing_key: {error}")))?;
    let mut endpoint = lock(&shared.courier.endpoint).clone();
    endpoint.url = change.url.or(endpoint.url);
    endpoint.secret = secret.or(endpoint.secret);
    endpoint.types = change.types.unwrap_or(endpoint.types);
    endpoint.options = change.options.unwrap_or(endpoint.options);
    endpoint.disable_after = change.disable_after_ms.map(Duration::from_millis).or(endpoint.disable_after);
    if let Some(enabled) = change.enabled {
        endpoint.failing_since = None;
        endpoint.disabled_reason = (!enabled).then(|| "disabled by hand".to_owned());
    }
    *lock(&shared.courier.endpoint) = endpoint;
    Ok(shown(&shared))
}

async fn show(shared: Data<Shared>) -> HttpResponse {
    shown(&shared)
}

/// Everything but the signing key.
fn shown(shared: &Shared) -> HttpResponse {
    let endpoint = lock(&shared.courier.endpoint).clone();
    HttpResponse::Ok().json(json!({
        "url": endpoint.url, "signed": endpoint.secret.is_some(), "types": endpoint.types,
        "options": endpoint.options, "enabled": endpoint.disabled_reason.is_none(),
        "disabled_reason": endpoint.disabled_reason,
    }))
}
