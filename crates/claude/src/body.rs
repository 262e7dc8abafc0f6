//! Reading the bytes of an answer without trusting their number.

use reqwest::Response;

/// Why a body could not be read whole.
#[derive(Debug)]
pub(crate) enum Unread {
    /// More bytes than allowed, announced or sent.
    TooLarge,
    /// The connection failed on the way.
    Broken(reqwest::Error),
}

/// The whole body, of at most `limit` bytes.
pub(crate) async fn whole(response: &mut Response, limit: usize) -> Result<Vec<u8>, Unread> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).is_ok_and(|bytes| bytes <= limit) {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
            if body.len() + chunk.len() > limit {
                return Err(Unread::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        return Ok(body);
    }
    Err(Unread::TooLarge)
}

/// As much of the body as arrives, at most about `limit` bytes. For refusals: their status is the message, and a
/// body that is broken or endless must not hide it.
pub(crate) async fn beginning(response: &mut Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < limit {
        let Ok(Some(chunk)) = response.chunk().await else { break };
        body.extend_from_slice(&chunk);
    }
    body
}
