//! One kept-alive connection that speaks just enough HTTP/1.1, so that the load costs little beside what it measures.

use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One request at a time.
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true).context("cannot switch Nagle's algorithm off")?;
        Ok(Self { stream, answer: Vec::with_capacity(1_024) })
    }

    /// Sends a request and reads its whole answer. Returns the status.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await.context("the request broke off")?;
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await.context("the answer broke off")?;
            if read == 0 {
                bail!("the connection was closed before the answer");
            }
            if let Some(status) = complete(&self.answer) {
                return status;
            }
        }
    }
}

/// The status, once head and body are there.
fn complete(answer: &[u8]) -> Option<Result<u16>> {
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = answer.get(..head_end)?;
    let Ok(head) = std::str::from_utf8(head) else { return Some(Err(anyhow::anyhow!("unreadable answer"))) };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.parse::<usize>().ok())
        .unwrap_or(0);
    if answer.len() < head_end + length {
        return None;
    }
    Some(head.get(9..12).and_then(|status| status.parse().ok()).context("an answer without a status"))
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn an_answer_is_complete_with_the_last_byte_of_its_body() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}";
        for end in 0..answer.len() {
            assert!(complete(&answer[..end]).is_none(), "complete after {end} bytes");
        }
        assert_eq!(complete(answer).unwrap().unwrap(), 503);
    }
}
