//! Telling the example executor how to behave.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, ServiceConfig, put},
};
use serde::Deserialize;
use serde_json::{Value, json};
use signing::Secret;

use crate::{control::parsed, executor, lock::lock, shared::Shared, world::Refusal};

pub(crate) fn routes(config: &mut ServiceConfig) {
    executor::mounted(config);
    config.route("/executor", put().to(change));
}

/// What is to change; absent members stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    secret: Option<String>,
    /// So many calls of each tool use fail before one succeeds.
    fail: Option<u64>,
    /// With this status.
    status: Option<u16>,
    delay_ms: Option<u64>,
    /// Bodies to answer, by tool.
    answers: Option<BTreeMap<String, Value>>,
}

async fn change(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let change: Change = parsed(&body)?;
    let secret = change.secret.as_deref().map(Secret::parse).transpose();
    let secret = secret.map_err(|error| Refusal::invalid(format!("secret: {error}")))?;
    let mut executor = lock(&shared.executor);
    let behaviour = &mut executor.behaviour;
    behaviour.secret = secret.or(behaviour.secret.take());
    behaviour.fail = change.fail.unwrap_or(behaviour.fail);
    behaviour.status = change.status.unwrap_or(behaviour.status);
    behaviour.delay = change.delay_ms.map_or(behaviour.delay, Duration::from_millis);
    behaviour.answers = change.answers.unwrap_or_else(|| std::mem::take(&mut behaviour.answers));
    Ok(HttpResponse::Ok().json(json!({
        "signed": behaviour.secret.is_some(), "fail": behaviour.fail, "status": behaviour.status,
        "answers": behaviour.answers,
    })))
}
