//! The secret that opens the API.

use std::fmt;

/// An API key or token. Its `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// Wraps the text of a key, as it goes into the header.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that writes the header.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A text of the server without the key in it. No server should echo a key, but proxies that print the
    /// offending request exist, and such a text ends in our errors and logs.
    pub(crate) fn scrub(&self, text: &str) -> String {
        // Replacing the empty text would put the mark between all letters.
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[redacted]") }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}
