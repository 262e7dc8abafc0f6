//! Events as JSON lines, and lines as compressed bytes.

use claude::{Fetched, SessionEvent};

/// Compression level: the default of zstd, a few milliseconds per page.
const LEVEL: i32 = 3;

/// The largest part that is unpacked: more than the API's largest answer. What claims to be larger is damaged.
const LARGEST: usize = 256 * 1024 * 1024;

/// A part that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
#[error("the stored bytes are damaged")]
pub struct Corrupt(#[source] std::io::Error);

/// The events as lines, each as the platform sent it.
pub(super) fn of_events(events: &[Fetched<SessionEvent>]) -> Vec<u8> {
    let mut lines = Vec::new();
    for event in events {
        // Line feeds of JSON stand between tokens only: without them it is the same JSON, on one line.
        lines.extend(event.raw.get().bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        lines.push(b'\n');
    }
    lines
}

pub(super) fn packed(lines: &[u8]) -> Result<Vec<u8>, Corrupt> {
    zstd::bulk::compress(lines, LEVEL).map_err(Corrupt)
}

/// The lines of a part; `bytes` is how long they should be.
pub(super) fn unpacked(body: &[u8], bytes: i64) -> Result<Vec<u8>, Corrupt> {
    let capacity = usize::try_from(bytes).unwrap_or(LARGEST).min(LARGEST);
    zstd::bulk::decompress(body, capacity).map_err(Corrupt)
}
