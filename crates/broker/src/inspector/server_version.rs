//! The version of the broker, which it tells everybody who greets it.
//!
//! The client library reads this greeting and keeps it to itself, so we greet once more: without credentials, and
//! without going any further.

use crate::{Broker, Error};
use lapin::uri::AMQPScheme;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[cfg(test)]
mod tests;

/// AMQP 0-9-1.
const PROTOCOL_HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// How the server property `version` begins: length of the name, name, type of a long string.
const VERSION_PROPERTY: &[u8; 9] = b"\x07versionS";

/// No greeting is as long; a larger frame means that this is no AMQP server.
const MAX_FRAME_BYTES: u32 = 64 * 1024;

/// The version of the broker, such as `4.1.3`. `None` when it does not tell, or when the connection would be encrypted.
///
/// # Errors
/// When the broker cannot be reached or does not answer in time.
pub async fn server_version(broker: &Broker) -> Result<Option<String>, Error> {
    let uri = broker.url.uri();
    if uri.scheme == AMQPScheme::AMQPS {
        return Ok(None);
    }
    let (host, port) = (uri.authority.host.clone(), uri.authority.port);
    let limit = broker.connect_timeout;
    match timeout(limit, greeting(&host, port)).await {
        Ok(Ok(greeting)) => Ok(version_in(&greeting)),
        Ok(Err(source)) => Err(Error::Connect { host, port, source: source.into() }),
        Err(_elapsed) => Err(Error::Timeout { operation: "send its greeting", limit }),
    }
}

/// The payload of the first frame that the broker sends.
async fn greeting(host: &str, port: u16) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(PROTOCOL_HEADER).await?;
    let (_frame_type, _channel) = (stream.read_u8().await?, stream.read_u16().await?);
    let size = stream.read_u32().await?;
    if size > MAX_FRAME_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no AMQP server"));
    }
    let mut payload = Vec::new();
    stream.take(size.into()).read_to_end(&mut payload).await?;
    Ok(payload)
}

fn version_in(greeting: &[u8]) -> Option<String> {
    let start = greeting.windows(VERSION_PROPERTY.len()).position(|window| window == VERSION_PROPERTY)?;
    let (length, rest) = greeting.get(start + VERSION_PROPERTY.len()..)?.split_first_chunk::<4>()?;
    let text = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    String::from_utf8(text.to_vec()).ok()
}
