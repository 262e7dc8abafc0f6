//! Making signatures: for the simulator, for alerts we send, and for tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Secret;

#[cfg(test)]
mod tests;

/// A Standard Webhooks signature, `v1,<base64>`, over the delivery's id, its time in Unix seconds and its body.
/// Several of them joined by spaces are a valid header value too.
#[must_use]
pub fn sign(secret: &Secret, id: &str, timestamp_unix_seconds: i64, body: &[u8]) -> String {
    let tag = secret.signing_key().tag(&format!("{id}.{timestamp_unix_seconds}."), body);
    format!("v1,{}", STANDARD.encode(tag.into_digest()))
}

/// A `t=<Unix seconds>,v1=<hex>` signature over the time and the body.
#[must_use]
pub fn sign_timestamped_hex(secret: &Secret, timestamp_unix_seconds: i64, body: &[u8]) -> String {
    let tag = secret.signing_key().tag(&format!("{timestamp_unix_seconds}."), body);
    format!("t={timestamp_unix_seconds},v1={}", hex::encode(tag.into_digest()))
}

/// 64 hex digits over the body alone. With `sha256=` before it, it is as valid.
#[must_use]
pub fn sign_body_hex(secret: &Secret, body: &[u8]) -> String {
    hex::encode(secret.signing_key().tag("", body).into_digest())
}

/// Base64 over the body alone.
#[must_use]
pub fn sign_body_base64(secret: &Secret, body: &[u8]) -> String {
    STANDARD.encode(secret.signing_key().tag("", body).into_digest())
}
