mod forms;
mod properties;
mod redaction;
mod window;

use super::*;
use crate::{DEFAULT_TOLERANCE_SECONDS, sign, sign_body_base64, sign_body_hex, sign_timestamped_hex};

const NOW: i64 = 1_773_568_830;
const ID: &str = "whe_00112233445566778899aabbccddeeff";
const BODY: &[u8] = br#"{"id":"whe_00112233445566778899aabbccddeeff"}"#;

fn secret() -> Secret {
    Secret::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("the secret is well-formed")
}

fn other_secret() -> Secret {
    Secret::parse("whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=").expect("the secret is well-formed")
}

fn check(headers: &Headers<'_>, body: &[u8], secrets: &[Secret]) -> Result<Verified, Rejection> {
    verify(headers, body, secrets, NOW, DEFAULT_TOLERANCE_SECONDS, Schemes::All)
}

fn reason(result: Result<Verified, Rejection>) -> Reason {
    result.expect_err("the delivery should be rejected").reason
}

fn standard<'a>(id: &'a str, timestamp: &'a str, signature: &'a str) -> Headers<'a> {
    Headers {
        webhook_id: Some(id),
        webhook_timestamp: Some(timestamp),
        webhook_signature: Some(signature),
        ..Headers::default()
    }
}

fn standard_x<'a>(id: &'a str, timestamp: &'a str, signature: &'a str) -> Headers<'a> {
    Headers {
        x_webhook_id: Some(id),
        x_webhook_timestamp: Some(timestamp),
        x_webhook_signature: Some(signature),
        ..Headers::default()
    }
}

fn x_only(signature: &str) -> Headers<'_> {
    Headers { x_webhook_signature: Some(signature), ..Headers::default() }
}

/// The signature forms, each with a signer and the headers it travels in.
#[derive(Clone, Copy, Debug)]
enum Form {
    Standard,
    StandardX,
    TimestampedHex,
    BodyHex,
    BodyPrefixedHex,
    BodyBase64,
}

impl Form {
    const ALL: [Self; 6] = [
        Self::Standard,
        Self::StandardX,
        Self::TimestampedHex,
        Self::BodyHex,
        Self::BodyPrefixedHex,
        Self::BodyBase64,
    ];

    fn sign(self, secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> String {
        match self {
            Self::Standard | Self::StandardX => sign(secret, id, timestamp, body),
            Self::TimestampedHex => sign_timestamped_hex(secret, timestamp, body),
            Self::BodyHex => sign_body_hex(secret, body),
            Self::BodyPrefixedHex => format!("sha256={}", sign_body_hex(secret, body)),
            Self::BodyBase64 => sign_body_base64(secret, body),
        }
    }

    fn headers<'a>(self, id: &'a str, timestamp: &'a str, signature: &'a str) -> Headers<'a> {
        match self {
            Self::Standard => standard(id, timestamp, signature),
            Self::StandardX => standard_x(id, timestamp, signature),
            Self::TimestampedHex | Self::BodyHex | Self::BodyPrefixedHex | Self::BodyBase64 => {
                x_only(signature)
            }
        }
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::Standard => Scheme::Standard,
            Self::StandardX => Scheme::StandardX,
            Self::TimestampedHex => Scheme::TimestampedHex,
            Self::BodyHex | Self::BodyPrefixedHex | Self::BodyBase64 => Scheme::BodyOnly,
        }
    }

    fn covers_id(self) -> bool {
        matches!(self, Self::Standard | Self::StandardX)
    }

    fn covers_time(self) -> bool {
        self.scheme() != Scheme::BodyOnly
    }

    /// Hex digits mean the same in both cases, so one changed bit may change nothing.
    fn is_hex(self) -> bool {
        matches!(self, Self::TimestampedHex | Self::BodyHex | Self::BodyPrefixedHex)
    }
}
