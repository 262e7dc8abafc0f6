//! A program of the operator's, over plain HTTP: it notes what it is told and answers by a script.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What the program does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Answers with this status and body.
    Answer(u16, &'static str),
    /// Answers with this status, header and body.
    With(u16, &'static str, &'static str),
    /// Answers with so many bytes.
    Long(usize),
    /// Says nothing for ever.
    Hang,
    /// Closes the connection.
    Cut,
}

/// A call as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) headers: HashMap<String, String>,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

type Script = Arc<Mutex<(VecDeque<Act>, Vec<Call>)>>;

/// The program. It ends when it is dropped.
pub(crate) struct Program {
    pub(crate) url: String,
    script: Script,
    _serving: JoinSet<()>,
}

impl Program {
    /// A program that does these things, one for each call, and the last of them for ever.
    pub(crate) async fn start(acts: &[Act]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/tool", listener.local_addr()?);
        let script: Script = Arc::new(Mutex::new((acts.iter().cloned().collect(), Vec::new())));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&script)));
        Ok(Self { url, script, _serving: serving })
    }

    /// What it was told so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// The ids of the calls.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.headers["webhook-id"].clone()).collect()
    }
}

async fn serve(listener: TcpListener, script: Script) {
    let mut calls = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let script = Arc::clone(&script);
        calls.spawn(async move {
            let _broken_off = answer(stream, &script).await.is_err();
        });
    }
}

async fn answer(stream: TcpStream, script: &Script) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length").context("no length")?.parse()?;
    let mut raw = vec![0; length];
    stream.read_exact(&mut raw).await?;
    let body = serde_json::from_slice(&raw)?;
    let act = {
        let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
        script.1.push(Call { headers, raw, body });
        if script.0.len() > 1 { script.0.pop_front() } else { script.0.front().cloned() }
    };
    let (status, header, body) = match act.context("no script")? {
        Act::Answer(status, body) => (status, "x-none: 1", body.to_owned()),
        Act::With(status, header, body) => (status, header, body.to_owned()),
        Act::Long(length) => (200, "x-none: 1", "a".repeat(length)),
        Act::Hang => std::future::pending().await,
        Act::Cut => return Ok(()),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\n{header}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.flush().await?;
    Ok(())
}
