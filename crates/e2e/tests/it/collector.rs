//! A collector of traces: takes whatever is posted to it, and keeps the bytes.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Listens on a port of its own for as long as the test process lives.
pub(crate) struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen")?;
        let address = listener.local_addr()?;
        let received = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client that hangs up ends its thread.
                thread::spawn(move || serve(stream, &shared).ok());
            }
        });
        Ok(Self { address, received })
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether a batch has come that holds all of these. Protobuf keeps texts and ids as they are.
    pub(crate) fn has(&self, parts: &[&[u8]]) -> bool {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let contains = |batch: &[u8], part: &[u8]| batch.windows(part.len()).any(|window| window == part);
        received.iter().any(|batch| parts.iter().all(|part| contains(batch, part)))
    }
}

/// Reads request after request and answers each with an empty 200.
fn serve(stream: TcpStream, received: &Mutex<Vec<Vec<u8>>>) -> Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        received.lock().unwrap_or_else(PoisonError::into_inner).push(body);
        writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}
