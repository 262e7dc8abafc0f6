//! Reading signatures in spellings that verification refuses.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::Code;
use crate::claim::{base64_digest, body_digest, hex_digest, pairs};
use crate::key::Digest;
use crate::scheme::Scheme;

/// A digest that was presented, and what is wrong with its spelling.
pub(super) struct Signature {
    pub(super) digest: Digest,
    pub(super) flaws: Vec<Code>,
}

/// All digests in a header value that is meant in `scheme`.
pub(super) fn read(value: &str, scheme: Scheme) -> Vec<Signature> {
    match scheme {
        Scheme::Standard | Scheme::StandardX => value.split_whitespace().filter_map(read_item).collect(),
        Scheme::TimestampedHex => pairs(value)
            .filter(|(name, _)| *name == "v1")
            .filter_map(|(_, digits)| hex_digest(digits))
            .map(|digest| Signature { digest, flaws: Vec::new() })
            .collect(),
        Scheme::BodyOnly => match body_digest(value) {
            Some(digest) => vec![Signature { digest, flaws: Vec::new() }],
            None => read_item(value).into_iter().collect(),
        },
    }
}

/// Whether the value has a `v1a` item; asked when it has no other that can be read.
pub(super) fn is_asymmetric(value: &str) -> bool {
    value.split_whitespace().any(|item| item.starts_with("v1a,"))
}

fn read_item(item: &str) -> Option<Signature> {
    let (is_labelled, encoded) = match item.split_once(',') {
        Some((label, encoded)) => (label == "v1", encoded),
        None => (false, without_foreign_label(item)),
    };
    let (digest, encoding_flaw) = decode(encoded)?;
    let label_flaw = (!is_labelled).then_some(Code::VersionLabel);
    Some(Signature { digest, flaws: label_flaw.into_iter().chain(encoding_flaw).collect() })
}

/// Takes off what other senders put before a digest.
fn without_foreign_label(item: &str) -> &str {
    item.strip_prefix("sha256=").or_else(|| item.strip_prefix("v1=")).unwrap_or(item)
}

fn decode(encoded: &str) -> Option<(Digest, Option<Code>)> {
    let of_32_bytes = |bytes: Vec<u8>| bytes.try_into().ok();
    let unpadded = || STANDARD_NO_PAD.decode(encoded).ok().and_then(of_32_bytes);
    let url_safe =
        || URL_SAFE.decode(encoded).or_else(|_| URL_SAFE_NO_PAD.decode(encoded)).ok().and_then(of_32_bytes);
    base64_digest(encoded)
        .map(|digest| (digest, None))
        .or_else(|| hex_digest(encoded).map(|digest| (digest, Some(Code::HexEncoding))))
        .or_else(|| unpadded().map(|digest| (digest, Some(Code::UnpaddedBase64))))
        .or_else(|| url_safe().map(|digest| (digest, Some(Code::UrlSafeBase64))))
}
