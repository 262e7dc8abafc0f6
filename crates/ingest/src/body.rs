//! Reading a body of unknown length, up to a limit.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::timeout;

/// Longest time from the first to the last byte of a body.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A body that was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is longer than the limit.
    TooLarge,
    /// It took too long.
    TooSlow,
    /// It broke off or is malformed.
    Broken,
}

impl Unread {
    /// A stable name of the reason.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "body_too_large",
            Self::TooSlow => "body_too_slow",
            Self::Broken => "body_broken",
        }
    }
}

/// Reads the body, counting what really comes: a chunked body announces no length, and a wrong one proves nothing.
pub(crate) async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Unread> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Unread::TooLarge);
    }
    timeout(BODY_TIME, collect(payload, limit)).await.unwrap_or(Err(Unread::TooSlow))
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, Unread> {
    // The usual body of a few hundred bytes comes in one piece, which is passed on without a copy.
    let mut first = Bytes::new();
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_broken| Unread::Broken)?;
        if first.len() + body.len() + piece.len() > limit {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() && body.is_empty() {
            first = piece;
        } else {
            body.extend_from_slice(&std::mem::take(&mut first));
            body.extend_from_slice(&piece);
        }
    }
    Ok(if body.is_empty() { first } else { body.freeze() })
}
