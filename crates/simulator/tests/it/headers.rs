use reqwest::Method;
use serde_json::{Value, json};
use simulator::Options;

use crate::lab::{BETA, Lab, answer};

/// Path, headers, status, error type.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);

#[tokio::test]
async fn each_wrong_header_gets_its_own_answer() {
    let lab = Lab::with(Options { api_key: Some("right".into()), ..Options::default() }).await;
    let (key, version, beta) =
        (("x-api-key", "right"), ("anthropic-version", "2026-10-21"), ("anthropic-beta", BETA));
    let bearer = ("authorization", "Bearer right");
    let table: [Case<'_>; 10] = [
        ("/v1/sessions", &[key, version, beta], 200, ""),
        ("/v1/sessions?beta=true", &[bearer, ("anthropic-version", "2023-06-01"), beta], 200, ""),
        ("/v1/sessions", &[version, beta], 401, "authentication_error"),
        ("/v1/sessions", &[key, bearer, version, beta], 401, "authentication_error"),
        ("/v1/sessions", &[("x-api-key", "wrong"), version, beta], 401, "authentication_error"),
        ("/v1/sessions", &[key, beta], 400, "invalid_request_error"),
        ("/v1/sessions", &[key, ("anthropic-version", "2020-01-01"), beta], 400, "invalid_request_error"),
        ("/v1/sessions", &[key, version], 400, "invalid_request_error"),
        ("/v1/sessions/sesn_x/threads", &[key, version], 404, "not_found_error"),
        ("/v1/sessions", &[key, version, ("anthropic-beta", "nonsense")], 400, "invalid_request_error"),
    ];
    for (path, headers, expected, kind) in table {
        let request = headers
            .iter()
            .fold(lab.http.get(lab.url(path)), |request, (name, value)| request.header(*name, *value));
        let (status, body) = answer(request).await;
        assert_eq!(status, expected, "{path} {headers:?}");
        assert_eq!(body["error"]["type"].as_str().unwrap_or_default(), kind, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn a_body_must_be_json() {
    let lab = Lab::start().await;
    let request = lab.api(Method::POST, "/v1/sessions").header("content-type", "text/plain").body("{}");
    assert_eq!(answer(request).await.0, 400);
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_errors_repeat_it() {
    let lab = Lab::start().await;
    for path in ["/v1/sessions", "/v1/sessions/sesn_none", "/v1/nothing"] {
        let answer = lab.api(Method::GET, path).send().await.unwrap();
        let id = answer.headers()["request-id"].to_str().unwrap().to_owned();
        assert!(id.starts_with("req_"), "{id}");
        let body: Value = answer.json().await.unwrap();
        if path != "/v1/sessions" {
            assert_eq!((&body["type"], &body["request_id"]), (&json!("error"), &json!(id)));
        }
    }
}
