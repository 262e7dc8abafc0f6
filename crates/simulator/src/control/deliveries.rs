//! Sending one webhook by hand, and looking at those that were sent.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Query, ServiceConfig, get, post},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::{
    clock::now,
    control::parsed,
    lock::lock,
    shared::Shared,
    webhook::{DeliveryOptions, Dialect, Envelope, Outcome, Parcel},
    world::{Object, Refusal},
};

/// Reports answered unless asked for more or fewer.
const DEFAULT_LIMIT: usize = 100;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/deliveries", post().to(send)).route("/deliveries", get().to(list));
}

/// One webhook. Nothing in the world changes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    #[serde(rename = "type")]
    kind: String,
    /// The event id; a new one unless given.
    id: Option<String>,
    /// Short for `data.id`.
    session: Option<String>,
    #[serde(default)]
    data: Object,
    /// Members beside `data`.
    #[serde(default)]
    extra: Object,
    /// The body as it is, instead of an envelope.
    raw: Option<String>,
    created_at: Option<DateTime<Utc>>,
    #[serde(default)]
    dialect: Dialect,
    options: Option<DeliveryOptions>,
    /// Another receiver than the endpoint, signed with the same key.
    url: Option<String>,
}

async fn send(shared: Data<Shared>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let send: Send = parsed(&body)?;
    let mut data = send.data;
    if let Some(session) = send.session {
        data.insert("id".into(), session.into());
    }
    let event_id = send.id.unwrap_or_else(|| lock(&shared.world).ids().webhook());
    let created_at = send.created_at.unwrap_or_else(now);
    let envelope = Envelope { event_id, kind: send.kind, created_at, data, extra: send.extra };
    let endpoint = send.url.map(|url| {
        let mut endpoint = lock(&shared.courier.endpoint).clone();
        (endpoint.url, endpoint.disabled_reason) = (Some(url), None);
        endpoint
    });
    let mut parcel = Parcel { options: send.options, endpoint, ..Parcel::of(&envelope, send.dialect) };
    if let Some(raw) = send.raw {
        parcel.body = Bytes::from(raw);
    }
    Ok(HttpResponse::Ok().json(shared.courier.deliver(&parcel).await))
}

/// Which reports are wanted; newest first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    event_id: Option<String>,
    session: Option<String>,
    resource: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    outcome: Option<Outcome>,
    limit: Option<usize>,
}

async fn list(shared: Data<Shared>, req: HttpRequest) -> Result<HttpResponse, Refusal> {
    let wanted = Query::<Wanted>::from_query(req.query_string());
    let wanted = wanted.map_err(|error| Refusal::invalid(format!("query: {error}")))?.into_inner();
    let reports = lock(&shared.courier.journal).newest(wanted.limit.unwrap_or(DEFAULT_LIMIT), |report| {
        wanted.event_id.as_ref().is_none_or(|id| *id == report.event_id)
            && wanted.session.as_ref().is_none_or(|id| Some(id) == report.session.as_ref())
            && wanted.resource.as_ref().is_none_or(|id| Some(id) == report.resource.as_ref())
            && wanted.kind.as_ref().is_none_or(|kind| *kind == report.kind)
            && wanted.outcome.is_none_or(|outcome| outcome == report.outcome)
    });
    Ok(HttpResponse::Ok().json(json!({ "data": reports })))
}
