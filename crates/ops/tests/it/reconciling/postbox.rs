//! Where the simulated platform delivers to: everything is acknowledged, and the test decides what has arrived.

use crate::bench::Platform;
use anyhow::{Context, Result};
use bytes::Bytes;
use reqwest::Method;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// A receiver of webhooks. It stops when it is dropped.
pub(crate) struct Postbox {
    bodies: Arc<Mutex<Vec<Bytes>>>,
    _listening: JoinSet<()>,
}

impl Postbox {
    /// One that the platform delivers to from now on.
    pub(crate) async fn of(platform: &Platform) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let bodies: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let mut listening = JoinSet::new();
        let into = Arc::clone(&bodies);
        listening.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let into = Arc::clone(&into);
                connections.spawn(async move {
                    if let Ok(body) = received(stream).await {
                        into.lock().unwrap_or_else(PoisonError::into_inner).push(body);
                    }
                });
            }
        });
        platform.control(Method::PUT, "/endpoint", &json!({ "url": url })).await?;
        Ok(Self { bodies, _listening: listening })
    }

    /// What was delivered since the last time, in the order of its arrival.
    pub(crate) fn emptied(&self) -> Vec<Bytes> {
        std::mem::take(&mut *self.bodies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The body of the one request of a connection.
async fn received(mut stream: TcpStream) -> Result<Bytes> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await?;
        anyhow::ensure!(read > 0, "the request is cut off");
        request.extend(chunk.into_iter().take(read));
        let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(request.get(..head).unwrap_or_default()).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.context("no length")?.trim().parse()?;
        if let Some(body) = request.get(head + 4..head + 4 + length) {
            let body = Bytes::copy_from_slice(body);
            stream.write_all(ANSWER).await?;
            stream.shutdown().await?;
            return Ok(body);
        }
    }
}
