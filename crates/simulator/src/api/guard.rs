//! The checks every call passes before it is looked at: credential, version, beta, content type.

use actix_web::{
    Error, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap},
    middleware::Next,
    web::Data,
};

use crate::{api::beta, shared::Shared, world::Refusal};

/// The API versions in use.
const VERSIONS: [&str; 2] = ["2023-06-01", "2026-10-21"];

/// Lets a call pass or answers the refusal.
pub(crate) async fn check(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let fixed_key = req.app_data::<Data<Shared>>().and_then(|shared| shared.options.api_key.clone());
    if let Err(refusal) = inspect(req.request(), fixed_key.as_deref()) {
        return Ok(req.error_response(refusal));
    }
    Ok(next.call(req).await?.map_into_boxed_body())
}

fn inspect(req: &HttpRequest, fixed_key: Option<&str>) -> Result<(), Refusal> {
    check_credential(req.headers(), fixed_key)?;
    check_version(req.headers())?;
    check_beta(req.path(), req.headers())?;
    check_content_type(req.headers())
}

fn check_credential(headers: &HeaderMap, fixed_key: Option<&str>) -> Result<(), Refusal> {
    let bearer = value(headers, "authorization");
    let key = match (value(headers, "x-api-key"), bearer) {
        (Some(_), Some(_)) => {
            return Err(Refusal::unauthenticated("x-api-key and authorization exclude each other"));
        }
        (Some(key), None) => key,
        (None, Some(bearer)) => bearer
            .strip_prefix("Bearer ")
            .ok_or_else(|| Refusal::unauthenticated("authorization: not a bearer token"))?,
        (None, None) => "",
    };
    if key.is_empty() {
        return Err(Refusal::unauthenticated("x-api-key or a bearer token is required"));
    }
    if fixed_key.is_some_and(|fixed| fixed != key) {
        return Err(Refusal::unauthenticated("invalid credential"));
    }
    Ok(())
}

fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    match value(headers, "anthropic-version") {
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) => {
            Err(Refusal::invalid(format!("anthropic-version: {version:?} is not a valid version")))
        }
        None => Err(Refusal::invalid("anthropic-version: header is required")),
    }
}

fn check_beta(path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let given: Vec<&str> = headers
        .get_all("anthropic-beta")
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if let Some(unknown) = given.iter().find(|name| !beta::KNOWN.contains(name)) {
        return Err(Refusal::invalid(format!("anthropic-beta: {unknown:?} is not a valid value")));
    }
    match beta::complaint(path, &given) {
        None => Ok(()),
        Some(_) if beta::hides_itself(path) => Err(Refusal::NotFound { what: "resource" }),
        Some(complaint) => Err(Refusal::invalid(complaint)),
    }
}

/// Only a request with a body needs a content type.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let length = value(headers, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
    if length == 0 && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(());
    }
    let kind = value(headers, "content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::invalid("content-type: application/json is required"))
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().trim())
}
