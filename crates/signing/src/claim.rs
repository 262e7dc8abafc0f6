//! What the headers claim, before anything is believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::headers::{Headers, Triple};
use crate::key::Digest;
use crate::rejection::Reason;
use crate::scheme::{Scheme, Schemes};

/// A delivery's signatures, decoded, and what they are supposed to cover.
pub(crate) struct Claim {
    pub(crate) scheme: Scheme,
    /// Unix seconds; `None` where the signature covers no time.
    pub(crate) signed_at: Option<i64>,
    /// The signed content is this, then the raw body.
    pub(crate) prefix: String,
    /// Those signatures that can be decoded; it is enough if one of them is right.
    pub(crate) digests: Vec<Digest>,
}

impl Claim {
    pub(crate) fn read(headers: &Headers<'_>, schemes: Schemes) -> Result<Self, Reason> {
        let standard = headers.standard();
        if standard.is_complete() || schemes == Schemes::Standard {
            return Self::listed(Scheme::Standard, standard);
        }
        let x = headers.x();
        let value = x.signature.ok_or(Reason::MissingHeader)?;
        match scheme_of_x_signature(value) {
            scheme @ (Scheme::Standard | Scheme::StandardX) => Self::listed(scheme, x),
            Scheme::TimestampedHex => Self::timestamped(value),
            Scheme::BodyOnly => Ok(Self::body_only(value)),
        }
    }

    /// `v1,<base64>` items between spaces. Items of other versions and items without a version are skipped, so that
    /// a sender can add asymmetric signatures (`v1a`) beside ours.
    fn listed(scheme: Scheme, headers: Triple<'_>) -> Result<Self, Reason> {
        let (Some(id), Some(timestamp), Some(signature)) = (headers.id, headers.timestamp, headers.signature)
        else {
            return Err(Reason::MissingHeader);
        };
        let signed_at = parse_timestamp(timestamp).ok_or(Reason::BadTimestamp)?;
        let items = signature.split(' ').filter_map(|item| item.strip_prefix("v1,"));
        Ok(Self {
            scheme,
            signed_at: Some(signed_at),
            // The header's own text and not the number: what was signed is what was sent.
            prefix: format!("{id}.{timestamp}."),
            digests: items.filter_map(base64_digest).collect(),
        })
    }

    fn timestamped(value: &str) -> Result<Self, Reason> {
        let timestamp = timestamp_of(value).ok_or(Reason::BadTimestamp)?;
        let signed_at = parse_timestamp(timestamp).ok_or(Reason::BadTimestamp)?;
        let signatures = pairs(value).filter_map(|(name, value)| (name == "v1").then_some(value));
        Ok(Self {
            scheme: Scheme::TimestampedHex,
            signed_at: Some(signed_at),
            prefix: format!("{timestamp}."),
            digests: signatures.filter_map(hex_digest).collect(),
        })
    }

    fn body_only(value: &str) -> Self {
        Self {
            scheme: Scheme::BodyOnly,
            signed_at: None,
            prefix: String::new(),
            digests: body_digest(value).into_iter().collect(),
        }
    }
}

/// Which form a value of `X-Webhook-Signature` has. Never [`Scheme::Standard`].
pub(crate) fn scheme_of_x_signature(value: &str) -> Scheme {
    if pairs(value).any(|(name, _)| name == "t") {
        Scheme::TimestampedHex
    } else if value.contains(',') {
        Scheme::StandardX
    } else {
        Scheme::BodyOnly
    }
}

/// The text of `t` in `t=<Unix seconds>,v1=<hex>`; `None` when there are two, since only one can be the signed one.
pub(crate) fn timestamp_of(value: &str) -> Option<&str> {
    let mut times = pairs(value).filter_map(|(name, value)| (name == "t").then_some(value));
    let first = times.next()?;
    times.next().is_none().then_some(first)
}

/// Decimal digits and nothing else: `i64::from_str` alone would take a sign.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Standard, padded, canonical base64 of a whole digest, so that one digest has one spelling.
pub(crate) fn base64_digest(text: &str) -> Option<Digest> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// 64 hex digits, upper or lower case.
pub(crate) fn hex_digest(text: &str) -> Option<Digest> {
    hex::decode(text).ok()?.try_into().ok()
}

/// `sha256=<hex>`, `<hex>` or `<base64>`.
pub(crate) fn body_digest(value: &str) -> Option<Digest> {
    match value.strip_prefix("sha256=") {
        Some(digits) => hex_digest(digits),
        None => hex_digest(value).or_else(|| base64_digest(value)),
    }
}

/// The `name=value` pairs of a comma-separated list.
pub(crate) fn pairs(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(',').filter_map(|pair| pair.trim().split_once('='))
}
