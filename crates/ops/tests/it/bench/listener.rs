//! A local HTTP listener that keeps what it is sent.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

/// Answers every request with the same status. It stops when it is dropped.
pub(crate) struct Listener {
    pub(crate) url: String,
    status: Arc<AtomicU16>,
    sent: Arc<Mutex<Vec<Sent>>>,
    _tasks: JoinSet<()>,
}

impl Listener {
    pub(crate) async fn start(status: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook-of-secret-name", listener.local_addr()?);
        let (status, sent) = (Arc::new(AtomicU16::new(status)), Arc::new(Mutex::new(Vec::new())));
        let mut tasks = JoinSet::new();
        let (answer, kept) = (Arc::clone(&status), Arc::clone(&sent));
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(request) = serve(stream, answer.load(Ordering::Relaxed)).await {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                }
            }
        });
        Ok(Self { url, status, sent, _tasks: tasks })
    }

    /// From now on answers so.
    pub(crate) fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// What it was sent, in order.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut stream: TcpStream, status: u16) -> Result<Sent> {
    let mut bytes = Vec::new();
    let (head, rest) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            break (head.to_owned(), bytes.get(head.len() + 4..).unwrap_or_default().to_vec());
        }
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "no whole request");
    };
    let headers: BTreeMap<String, String> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").context("no length")?.parse()?;
    let mut body = rest;
    while body.len() < length {
        anyhow::ensure!(stream.read_buf(&mut body).await? > 0, "no whole body");
    }
    let location = if (300..400).contains(&status) { "location: http://127.0.0.1:1/\r\n" } else { "" };
    let answer = format!("HTTP/1.1 {status} X\r\n{location}content-length: 2\r\nconnection: close\r\n\r\nok");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(Sent { headers, body })
}
