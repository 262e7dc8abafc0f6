//! Making an answer fail as its rule says.

use std::{io, time::Duration};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody, to_bytes},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::{Bytes, Data},
};
use futures_util::stream;
use serde_json::Value;

use crate::{
    api::error_body,
    faults::{Body, Phase, Rule},
    lock::lock,
    shared::Shared,
};

/// Lets a call through, or through and back damaged, or not at all.
pub(crate) async fn inject(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let shared = req.app_data::<Data<Shared>>().cloned();
    let rule = shared.and_then(|shared| {
        lock(&shared.faults).strike(req.method().as_str(), req.path(), req.query_string())
    });
    let Some(rule) = rule else { return Ok(next.call(req).await?.map_into_boxed_body()) };
    tracing::debug!(http.path = req.path(), fault.status = rule.status, "fault injected");
    if rule.body != Body::Slow {
        tokio::time::sleep(Duration::from_millis(rule.latency_ms)).await;
    }
    if rule.status.is_some() && rule.phase == Phase::Before {
        let answer = damaged(&rule, StatusCode::OK, &[]);
        return Ok(req.into_response(answer));
    }
    let answered = next.call(req).await?.map_into_boxed_body();
    if rule.status.is_none() && rule.body == Body::Json {
        return Ok(answered); // only the pace was wanted
    }
    let (req, answer) = answered.into_parts();
    let status = answer.status();
    // A body that cannot be read any more is as good as an empty one here.
    let truth = to_bytes(answer.into_body()).await.unwrap_or_default();
    Ok(ServiceResponse::new(req, damaged(&rule, status, &truth)))
}

fn damaged(rule: &Rule, true_status: StatusCode, truth: &[u8]) -> HttpResponse {
    let status = rule.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(true_status);
    let mut answer = HttpResponse::build(status);
    if let Some(seconds) = &rule.retry_after {
        answer.insert_header(("retry-after", seconds.as_str()));
    }
    if let Some(should_retry) = rule.should_retry {
        answer.insert_header(("x-should-retry", should_retry.to_string()));
    }
    let whole = match rule.status {
        Some(status) => {
            Bytes::from(error_body(status, "simulated fault", rule.error_code.as_deref(), None).to_string())
        }
        None => Bytes::copy_from_slice(truth),
    };
    let half = whole.slice(..whole.len() / 2);
    match rule.body {
        Body::Json => answer.content_type("application/json").body(whole),
        Body::Html => answer.content_type("text/html").body("<html><body><h1>Bad gateway</h1></body></html>"),
        Body::Truncated => answer.content_type("application/json").body(half),
        Body::Slow => {
            let pace = Duration::from_millis(rule.latency_ms) / PIECES;
            answer.insert_header((header::CONTENT_TYPE, "application/json"));
            answer
                .streaming(stream::unfold((whole.clone(), whole.len() / PIECES as usize + 1, pace), trickle))
        }
        Body::NoNextPage => answer.content_type("application/json").body(without_next_page(&whole)),
        Body::Empty => answer.finish(),
        Body::Cut => {
            let length = whole.len() as u64;
            answer.insert_header((header::CONTENT_TYPE, "application/json"));
            answer.no_chunking(length).streaming(stream::unfold(Some(half), cut))
        }
    }
}

/// In how many pieces a slow body comes.
const PIECES: u32 = 10;

/// What is left of a body, the length of a piece, and the time between two.
type Rest = (Bytes, usize, Duration);

/// Yields what is left of a body, piece by piece.
async fn trickle((mut rest, piece, pace): Rest) -> Option<(io::Result<Bytes>, Rest)> {
    if rest.is_empty() {
        return None;
    }
    tokio::time::sleep(pace).await;
    let next = rest.split_to(piece.min(rest.len()));
    Some((Ok(next), (rest, piece, pace)))
}

/// A list's last page as it may look, too: the member is absent instead of null.
fn without_next_page(body: &[u8]) -> Bytes {
    let Ok(Value::Object(mut page)) = serde_json::from_slice(body) else {
        return Bytes::copy_from_slice(body);
    };
    page.retain(|name, value| name != "next_page" || !value.is_null());
    Bytes::from(Value::Object(page).to_string())
}

/// Yields the half, waits until it is on the wire, then breaks off.
async fn cut(half: Option<Bytes>) -> Option<(io::Result<Bytes>, Option<Bytes>)> {
    if let Some(half) = half {
        return Some((Ok(half), None));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
}
