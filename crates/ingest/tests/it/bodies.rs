//! Bodies of every size and kind.

use crate::bench::{Bench, Ingest, PATIENCE};
use crate::raw::{self, Reply, chunked, exchange};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use signing::Secret;
use testkit::clock::{real_now, unix_seconds};
use testkit::{eventually, payload};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const LIMIT: usize = 8192;
const LIMIT_SETTING: (&str, &str) = ("HOLDFAST_BODY_LIMIT", "8192");

/// An event whose body has exactly this many bytes.
fn event_of(bytes: usize, id: &str) -> Vec<u8> {
    let mut body = payload::message_created(id, "msg_1", real_now()).to_string();
    let closing = body.pop();
    body.push_str(",\"padding\":\"");
    let rest = bytes.saturating_sub(body.len() + "\"}".len());
    body.push_str(&"x".repeat(rest));
    body.push('"');
    body.extend(closing);
    body.into_bytes()
}

/// Posts a signed body, in chunks or with its length announced.
async fn post(bench: &Bench, ingest: &Ingest, id: &str, body: &[u8], chunk: Option<usize>) -> Result<Reply> {
    let now = unix_seconds();
    let signature = signing::sign(&Secret::parse(&bench.secret)?, id, now, body);
    let (now, length) = (now.to_string(), body.len().to_string());
    let framing = match chunk {
        Some(_) => ("transfer-encoding", "chunked"),
        None => ("content-length", length.as_str()),
    };
    let headers =
        [("webhook-id", id), ("webhook-timestamp", &now), ("webhook-signature", &signature), framing];
    let framed = chunk.map_or_else(|| body.to_vec(), |bytes| chunked(body, bytes));
    exchange(ingest.port, &raw::post(&headers, &framed)).await
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_not() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[LIMIT_SETTING]).await?;
    for (number, chunk) in [None, Some(LIMIT), Some(1000), Some(7)].into_iter().enumerate() {
        let id = format!("evt_{number}");
        let fits = post(&bench, &ingest, &id, &event_of(LIMIT, &id), chunk).await?;
        assert_eq!((fits.status, fits.json()?), (200, json!({ "status": "success" })), "{chunk:?}");
        let over = post(&bench, &ingest, "evt_over", &event_of(LIMIT + 1, "evt_over"), chunk).await?;
        assert_eq!(
            (over.status, over.json()?["reason"].clone()),
            (413, json!("body_too_large")),
            "{chunk:?}"
        );
        assert!(over.json()?["message"].as_str().is_some_and(|text| text.contains("HOLDFAST_BODY_LIMIT")));
    }
    assert_eq!((bench.count("events").await?, bench.count("quarantine").await?), (4, 0));
    Ok(())
}

#[tokio::test]
async fn the_default_limit_is_256_kib() -> Result<()> {
    const DEFAULT: usize = 256 * 1024;
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    assert_eq!(post(&bench, &ingest, "evt_1", &event_of(DEFAULT, "evt_1"), None).await?.status, 200);
    // Senders that write everything before they read must still find the answer, not a reset connection.
    for bytes in [DEFAULT + 1, 2 * DEFAULT, 4 * 1024 * 1024] {
        for chunk in [None, Some(16 * 1024)] {
            let over = post(&bench, &ingest, "evt_2", &event_of(bytes, "evt_2"), chunk).await?;
            assert_eq!(over.status, 413, "{bytes} {chunk:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn after_a_refused_body_the_next_delivery_is_served() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[LIMIT_SETTING]).await?;
    // One client, so that it may use the connection again that the refusal left.
    for round in 0..5 {
        let id = format!("evt_{round}");
        let over = ingest.sender.deliver_signed_at(&id, event_of(LIMIT + 1, &id), unix_seconds()).await?;
        assert_eq!(over.status, 413);
        let fits = ingest.sender.deliver_signed_at(&id, event_of(LIMIT, &id), unix_seconds()).await?;
        assert_eq!(fits.status, 200, "round {round}: {}", fits.body);
    }
    Ok(())
}

/// Each body as a list of its bytes.
const BODIES_AS_BYTES: &str =
    "SELECT problem, ARRAY(SELECT get_byte(body, n) FROM generate_series(0, length(body) - 1) AS n) AS body
     FROM quarantine ORDER BY id";

#[tokio::test]
async fn what_is_signed_and_no_event_is_kept_in_quarantine() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let brackets = "[".repeat(10_000);
    let braces = r#"{"a":"#.repeat(2_000);
    let table: Vec<&[u8]> = vec![
        b"",
        b" ",
        b"null",
        b"7",
        b"[]",
        br#"["event_id"]"#,
        br#""text""#,
        b"{",
        b"not json",
        b"\xff\xfe{}",
        b"{\"event_id\":\"\xc3\x28\",\"type\":\"t\",\"created_at\":1}",
        b"{\"event_id\":\"e\",\"type\":\"t\",\"created_at\":1}\0",
        br#"{"event_id":"\ud800","type":"t","created_at":1}"#,
        br#"{"event_id":"e\u0000","type":"t","created_at":1}"#,
        br#"{"event_id":"e","type":"t","created_at":1e400}"#,
        br#"{"event_id":"e","type":"t","created_at":99999999999999}"#,
        br#"{"event_id":"e","type":"t","created_at":"+12026-01-01T00:00:00Z"}"#,
        brackets.as_bytes(),
        braces.as_bytes(),
    ];
    for body in &table {
        let answer = post(&bench, &ingest, "evt_1", body, None).await?;
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(
            (answer.status, answer.json()?["reason"].clone()),
            (400, json!("invalid_event")),
            "{shown}"
        );
    }
    let kept = eventually(PATIENCE, "all of them in quarantine", async || {
        let kept = bench.rows(BODIES_AS_BYTES).await?;
        ensure!(kept.len() == table.len(), "{} are", kept.len());
        Ok(Some(kept))
    })
    .await?;
    let bodies: Vec<&Value> = kept.iter().map(|row| &row["body"]).collect();
    let sent: Vec<Value> = table.iter().map(|body| json!(body)).collect();
    assert_eq!(bodies, sent.iter().collect::<Vec<_>>());
    assert!(kept.iter().all(|row| row["problem"].as_str().is_some_and(|problem| !problem.is_empty())));
    assert_eq!(bench.count("events").await?, 0);
    Ok(())
}

#[tokio::test]
async fn names_of_unusual_length_and_letters_are_taken_or_refused_but_never_break_anything() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    let long = "e".repeat(255);
    let table = [
        (long.as_str(), 200),
        (&"e".repeat(256), 400),
        ("'; DROP TABLE events; --", 200),
        ("\u{1f980} \u{202e} e\u{301}", 200),
        ("%s {} {{ $1 \\", 200),
        ("line\nbreak", 400),
    ];
    for (id, status) in table {
        let body = payload::message_created(id, "msg_1", real_now()).to_string();
        let answer = ingest.sender.deliver_signed_at("any", body, unix_seconds()).await?;
        assert_eq!(answer.status, status, "{id:?}: {}", answer.body);
    }
    assert_eq!(bench.count("events").await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_delivery() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    for framing in [("content-length", "100"), ("transfer-encoding", "chunked")] {
        let mut stream = TcpStream::connect(("127.0.0.1", ingest.port)).await?;
        stream.write_all(&raw::post(&[framing], b"5\r\nhello\r\n")).await?;
        drop(stream);
    }
    let broken =
        exchange(ingest.port, &raw::post(&[("transfer-encoding", "chunked")], b"zz\r\nhello")).await?;
    assert_eq!(broken.status, 400, "{broken:?}");
    let body = payload::message_created("evt_1", "msg_1", real_now());
    assert_eq!(ingest.sender.deliver("evt_1", &body).await?.status, 200);
    assert_eq!(bench.count("events").await?, 1);
    Ok(())
}
