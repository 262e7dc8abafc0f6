//! HTTP by hand: what no client library would send.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the server gives a slow request.
const PATIENCE: Duration = Duration::from_secs(15);

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("no JSON: {self:?}"))
    }
}

/// Writes `request` to a new connection and reads until the server closes it. The request should ask for that.
pub(crate) async fn exchange(port: u16, request: &[u8]) -> Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.context("cannot connect")?;
    // A server may answer and hang up before it has read everything.
    let written = stream.write_all(request).await;
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.context("no end of the answer")?;
    if answer.is_empty() {
        written.context("the request was not taken")?;
        read.context("no answer")?;
    }
    parse(&answer)
}

/// A `POST /webhooks/default` with these header lines beside the unavoidable ones.
pub(crate) fn post(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = b"POST /webhooks/default HTTP/1.1\r\nhost: test\r\nconnection: close\r\n".to_vec();
    for (name, value) in headers {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}

/// A body in chunks of this many bytes, with the last, empty one.
pub(crate) fn chunked(body: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(chunk_bytes) {
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

fn parse(answer: &[u8]) -> Result<Reply> {
    let text = String::from_utf8_lossy(answer);
    ensure!(!text.is_empty(), "the connection was closed without an answer");
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("no HTTP answer: {text:?}"))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Reply {
        status: status.with_context(|| format!("no status: {head:?}"))?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
