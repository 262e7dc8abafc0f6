//! Signs and verifies webhook deliveries, without I/O.
//!
//! [`verify`] turns headers, raw body bytes, secrets and the current time into [`Verified`] or a [`Rejection`] that
//! says why. [`sign`] and its siblings make the same signatures, for senders and tests. [`diagnose`] explains to a
//! person why a signature fails.
//!
//! Accepted are the Standard Webhooks headers and, unless switched off with [`Schemes::Standard`], the forms of
//! `X-Webhook-Signature`:
//!
//! | [`Scheme`] | Header value | Signed content | Freshness |
//! | --- | --- | --- | --- |
//! | `Standard` | `webhook-signature: v1,<base64>`, a list | `<webhook-id>.<webhook-timestamp>.<body>` | `webhook-timestamp` |
//! | `StandardX` | `x-webhook-signature: v1,<base64>`, a list | `<x-webhook-id>.<x-webhook-timestamp>.<body>` | `x-webhook-timestamp` |
//! | `TimestampedHex` | `x-webhook-signature: t=<seconds>,v1=<hex>` | `<t>.<body>` | `t` |
//! | `BodyOnly` | `x-webhook-signature: sha256=<hex>`, `<hex>` or `<base64>` | `<body>` | the caller's, with [`check_freshness`] |
//!
//! ```
//! use signing::{DEFAULT_TOLERANCE_SECONDS, Headers, Schemes, Secret, sign, verify};
//!
//! let secret = Secret::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
//! let signature = sign(&secret, "whe_1", 1_773_568_805, b"{}");
//! let headers = Headers {
//!     webhook_id: Some("whe_1"),
//!     webhook_timestamp: Some("1773568805"),
//!     webhook_signature: Some(&signature),
//!     ..Headers::default()
//! };
//! let now = 1_773_568_830;
//! let verified = verify(&headers, b"{}", &[secret], now, DEFAULT_TOLERANCE_SECONDS, Schemes::All)?;
//! assert_eq!(verified.skew_seconds, Some(25));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//!
//! - The body is verified as received; it is never parsed, decoded or rewritten before.
//! - When the three `webhook-*` headers are present they alone decide.
//! - Digests are compared in constant time, whatever scheme, and every comparison is against all secrets.
//! - No value of this crate prints a secret or a signature, and nothing here logs.
//! - There is no clock: the current time is an argument.
//!
//! Not here: the answer to the sender, the event's own id and time, which secrets are live.

mod claim;
mod diagnose;
mod headers;
mod key;
mod rejection;
mod scheme;
mod secret;
mod sign;
mod verify;

pub use diagnose::{Code, Diagnosis, Finding, diagnose};
pub use headers::Headers;
pub use headers::{
    WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, X_WEBHOOK_ID, X_WEBHOOK_SIGNATURE, X_WEBHOOK_TIMESTAMP,
};
pub use rejection::{Reason, Rejection, check_freshness};
pub use scheme::{Scheme, Schemes};
pub use secret::{Secret, SecretError};
pub use sign::{sign, sign_body_base64, sign_body_hex, sign_timestamped_hex};
pub use verify::{Freshness, Verified, verify};

/// How far a signed time may be from now, in seconds, in either direction: five minutes, as the reference
/// libraries have it.
pub const DEFAULT_TOLERANCE_SECONDS: u32 = 300;
