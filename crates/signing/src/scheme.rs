//! The signature forms, and which of them an endpoint accepts.

use std::fmt;

/// How a delivery was signed. The crate documentation has the table of header values and signed contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Standard Webhooks in the `webhook-*` headers: what the platform sends.
    Standard,
    /// Standard Webhooks in the `x-webhook-*` headers.
    StandardX,
    /// `t=<Unix seconds>,v1=<hex>` in `X-Webhook-Signature`.
    TimestampedHex,
    /// A digest of nothing but the body in `X-Webhook-Signature`.
    BodyOnly,
}

impl Scheme {
    /// The name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::StandardX => "standard_x",
            Self::TimestampedHex => "timestamped_hex",
            Self::BodyOnly => "body_only",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which schemes are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Schemes {
    /// Every [`Scheme`].
    #[default]
    All,
    /// [`Scheme::Standard`] alone: `X-Webhook-Signature` is as good as absent.
    Standard,
}
