//! Every path and method but the right one. A redirect would disable the endpoint at the sender for good.

use crate::bench::Bench;
use crate::raw::exchange;
use anyhow::Result;
use serde_json::json;

const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"];

const PATHS: [&str; 33] = [
    "/",
    "//",
    "/.",
    "/..",
    "/*",
    "/favicon.ico",
    "/index.html",
    "/livez",
    "/readyz",
    "/metrics",
    "/webhooks",
    "/webhooks/",
    "/webhooks//",
    "//webhooks/default",
    "/webhooks//default",
    "/webhooks/default/",
    "/webhooks/default//",
    "/webhooks/default/.",
    "/webhooks/./default",
    "/webhooks/../webhooks/other",
    "/webhooks/default%2f",
    "/webhooks/%2e%2e/claude-webhook",
    "/webhooks/other",
    "/webhooks/%00",
    "/webhooks/%ff%fe",
    "/webhooks/%",
    "/webhooks/%zz",
    "/Webhooks/Default",
    "/claude-webhook/",
    "/claude-webhook//",
    "/claude-webhook%2f",
    "/claude-webhook;a=b",
    "http://other.example/webhooks/default/",
];

fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}

#[tokio::test]
async fn no_path_and_no_method_is_ever_redirected_and_all_are_answered_in_json() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    for path in PATHS {
        for method in METHODS {
            let reply = exchange(ingest.port, request(method, path).as_bytes()).await?;
            assert!(matches!(reply.status, 400 | 404 | 405), "{method} {path}: {reply:?}");
            assert_eq!(reply.header("content-type"), Some("application/json"), "{method} {path}: {reply:?}");
            assert_eq!(reply.header("location"), None, "{method} {path}");
            if method != "HEAD" {
                assert_eq!(reply.json()?["status"], "error", "{method} {path}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    for path in ["/webhooks/default", "/claude-webhook", "/webhooks/default?a=b"] {
        for method in METHODS.into_iter().filter(|method| *method != "POST") {
            let reply = exchange(ingest.port, request(method, path).as_bytes()).await?;
            assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method} {path}");
            assert_eq!(reply.header("content-type"), Some("application/json"), "{method} {path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_endpoint_and_an_unknown_path_have_their_reasons() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    for (path, reason) in
        [("/webhooks/other", "unknown_endpoint"), ("/nowhere", "unknown_path"), ("/metrics", "unknown_path")]
    {
        let reply = exchange(ingest.port, request("POST", path).as_bytes()).await?;
        assert_eq!((reply.status, reply.json()?["reason"].clone()), (404, json!(reason)), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn odd_bytes_in_a_request_break_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let mut ingest = bench.ingest(&[]).await?;
    let long = "x".repeat(200_000);
    let head = "POST /webhooks/default HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n";
    let requests: Vec<Vec<u8>> = vec![
        b"\r\n\r\n".to_vec(),
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"GARBAGE\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET  HTTP/1.1\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"POST /webhooks/default HTTP/1.0\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".to_vec(),
        b"CONNECT test:443 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\n\r\n").into_bytes(),
        format!("{head}x-long: {long}\r\n\r\n").into_bytes(),
        format!("{head}{}\r\n", "x-many: 1\r\n".repeat(500)).into_bytes(),
        [head.as_bytes(), b"webhook-signature: v1,\xff\xfe\x80\r\n\r\n"].concat(),
        [head.as_bytes(), b"webhook-id: a\0b\r\n\r\n"].concat(),
        [head.as_bytes(), b"traceparent: 00-zz\xe9-\r\n\r\n"].concat(),
        format!("{head}webhook-id: a\r\n b\r\n\r\n").into_bytes(),
        format!("{head}content-length: 5\r\n\r\nhello").into_bytes(),
        format!("{head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n").into_bytes(),
        b"POST /webhooks/default HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-length: -1\r\n\r\n".to_vec(),
        b"POST /webhooks/default HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-length: 99999999999999999999\r\n\r\n"
            .to_vec(),
    ];
    for request in &requests {
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        // A connection that is closed without a word is an answer, too.
        if let Ok(reply) = exchange(ingest.port, request).await {
            assert!((400..500).contains(&reply.status), "{shown:?}: {reply:?}");
        }
    }
    assert!(!ingest.process.logs()?.contains("panic"));
    assert_eq!(ingest.internal("/livez").await?.0, 200);
    ingest.process.sigterm()?;
    Ok(())
}
