//! The secrets of an endpoint.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::key::Key;

#[cfg(test)]
mod tests;

/// What the platform's secrets begin with; the rest is the key in base64.
pub(crate) const PREFIX: &str = "whsec_";

/// Standard base64, padded or not: secrets lose their padding when people copy them.
const LENIENT_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A signing secret, ready for use. It can be neither printed nor serialised.
///
/// Text that begins with `whsec_` is one key, the base64-decoded rest. Any other text can be meant in two ways: the
/// reference libraries decode it as well, other senders use its bytes as they are. Verification tries both;
/// signing decodes where that is possible, as the reference libraries do.
#[derive(Clone)]
pub struct Secret {
    text: Box<str>,
    signing_key: Key,
    second_key: Option<Key>,
}

/// Why a text is no usable secret. Neither variant quotes the text, nor carries the decoder's error, which does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The part after `whsec_` cannot be decoded.
    #[error("secret is not valid base64 after its `whsec_` prefix")]
    NotBase64,
    /// There is no key in it; with an empty key anybody could sign.
    #[error("secret is empty")]
    Empty,
}

impl Secret {
    /// Reads a secret as the platform's console shows it. White space around it is ignored, since secret files
    /// end in a newline.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotBase64`] when the text has the `whsec_` prefix and the rest is not standard base64, padded
    /// or unpadded; [`SecretError::Empty`] when no key is left.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let (signing_key, second_key) = if let Some(encoded) = text.strip_prefix(PREFIX) {
            let decoded = LENIENT_PADDING.decode(encoded).map_err(|_| SecretError::NotBase64)?;
            (Key::new(&decoded), None)
        } else {
            let decoded = LENIENT_PADDING.decode(text).ok().and_then(|bytes| Key::new(&bytes));
            let raw = Key::new(text.as_bytes());
            if decoded.is_some() { (decoded, raw) } else { (raw, None) }
        };
        let signing_key = signing_key.ok_or(SecretError::Empty)?;
        Ok(Self { text: text.into(), signing_key, second_key })
    }

    /// The key that signs.
    pub(crate) fn signing_key(&self) -> &Key {
        &self.signing_key
    }

    /// All keys that verify, the one that signs first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.signing_key).chain(&self.second_key)
    }

    /// The text it was read from, for the doctor's guesses at a misused secret.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
