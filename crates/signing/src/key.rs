//! HMAC-SHA256 keys and the tags they make.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A whole HMAC-SHA256 digest, decoded.
pub(crate) type Digest = [u8; 32];

/// A key, already turned into the inner state of the HMAC. It has no `Debug` on purpose.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

impl Key {
    /// `None` for the empty key, with which anybody could sign.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        // HMAC takes keys of every length, so this never says no.
        Hmac::new_from_slice(bytes).ok().map(Self)
    }

    /// The tag of `prefix` followed by `body`, without joining the two in memory.
    pub(crate) fn tag(&self, prefix: &str, body: &[u8]) -> Tag {
        Tag(self.0.clone().chain_update(prefix).chain_update(body))
    }
}

/// What a signature over some content has to be. It is not compared with `==` but in constant time.
pub(crate) struct Tag(Hmac<Sha256>);

impl Tag {
    pub(crate) fn matches(&self, digest: &Digest) -> bool {
        self.0.clone().verify_slice(digest).is_ok()
    }

    pub(crate) fn into_digest(self) -> Digest {
        self.0.finalize().into_bytes().into()
    }
}
