//! Names that come from outside, as types of their own so that none is taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest name we take, in bytes. Real ones have some forty; a B-tree key holds at most about 2,700.
pub const MAX_NAME_BYTES: usize = 255;

/// A name that cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The name has no characters.
    #[error("must not be empty")]
    Empty,
    /// The name is longer than [`MAX_NAME_BYTES`].
    #[error("must not be longer than {MAX_NAME_BYTES} bytes")]
    TooLong,
    /// The name holds a control character (a NUL, say, which Postgres cannot store in a text).
    #[error("must not hold control characters")]
    Control,
}

/// Checks what every name from outside must be: short, not empty, without control characters. Prefixes are
/// not checked, because the platform may change them.
///
/// # Errors
/// When the text is not such a name.
pub fn check_name(text: &str) -> Result<(), InvalidName> {
    if text.is_empty() {
        Err(InvalidName::Empty)
    } else if text.len() > MAX_NAME_BYTES {
        Err(InvalidName::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(InvalidName::Control)
    } else {
        Ok(())
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a name from outside.
            ///
            /// # Errors
            /// When the text is empty, too long or holds control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                check_name(&text)?;
                Ok(Self(text.into_boxed_str()))
            }

            /// The name as it came.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into_string()
            }
        }
    };
}

name! {
    /// The sender's id of an event: the same on every delivery, and so the key of deduplication.
    EventId
}
name! {
    /// The name of one of our endpoints, as it stands in the path `/webhooks/{endpoint}`.
    EndpointName
}
name! {
    /// What happened, for example `session.status_idled`. Open: new types appear monthly.
    EventType
}

impl EndpointName {
    /// The endpoint that exists without registration.
    #[must_use]
    pub fn default_endpoint() -> Self {
        Self("default".into())
    }
}
